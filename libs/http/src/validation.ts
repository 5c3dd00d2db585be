import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { type FieldProblem, InvalidRequest } from './problem.js';

/**
 * Refuses unknown fields and wrong types; nothing is converted silently. Handlers get objects of the declared classes.
 * @throws InvalidRequest with one entry per broken rule
 */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    exceptionFactory: (errors) => new InvalidRequest(errors.flatMap((error) => fieldProblems(error, ''))),
  });
}

/** Nested errors of class-validator as a flat list with JSON Pointers. */
export function fieldProblems(error: ValidationError, parent: string): FieldProblem[] {
  const pointer = `${parent}/${error.property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const own = Object.values(error.constraints ?? {}).map((detail) => ({ pointer, detail }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldProblems(child, pointer))];
}
