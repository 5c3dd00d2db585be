import { type ArgumentMetadata, ValidationPipe, type ValidationError } from '@nestjs/common';
import { accept } from './acceptance.js';
import { type FieldProblem, InvalidRequest } from './problem.js';

/** Deeper than any request of an API. What makes objects of the declared classes follows the levels by recursion, and would end with the stack. */
const MAX_DEPTH = 64;

/** Broken rules that a refusal names: a body may break as many as it has bytes, and the answer would be longer than the request. */
const MOST_ERRORS = 100;

/**
 * Refuses unknown fields and wrong types; nothing is converted silently. Handlers get objects of the declared classes.
 * @throws InvalidRequest with one entry per broken rule, of many the first hundred
 */
export function validationPipe(): ValidationPipe {
  return new CarefulValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    exceptionFactory: (errors) => new InvalidRequest(errors.flatMap((error) => fieldProblems(error, '')).slice(0, MOST_ERRORS)),
  });
}

/** Refuses also what Nest's pipe lets through, or falls over. */
class CarefulValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // What a decorator of the application gives does not come from the caller.
    if (metadata.type === 'custom') return super.transform(value, metadata);
    const accepted = accept(metadata.metatype, value);
    if (accepted) return accepted;
    // Nest would take it for an object without fields.
    if (metadata.type === 'body' && value === null) throw new InvalidRequest([{ pointer: '', detail: 'the body must not be null' }]);
    refuseTraps(value);
    return super.transform(value, metadata);
  }
}

/** Refuses values in too many levels, and names that every object has: they would be left out in silence. @throws InvalidRequest */
function refuseTraps(given: unknown): void {
  const found: { readonly value: unknown; readonly pointer: string; readonly depth: number }[] = [{ value: given, pointer: '', depth: 0 }];
  for (let next = found.pop(); next; next = found.pop()) {
    const { value, pointer, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth === MAX_DEPTH) throw new InvalidRequest([{ pointer: `/${pointer.split('/', 2)[1]}`, detail: `nothing may be nested in more than ${MAX_DEPTH} levels` }]);
    for (const [name, inner] of Object.entries(value)) {
      const at = `${pointer}/${escaped(name)}`;
      if (name in Object.prototype) throw new InvalidRequest([{ pointer: at, detail: `property ${name} should not exist` }]);
      found.push({ value: inner, pointer: at, depth: depth + 1 });
    }
  }
}

/** Nested errors of class-validator as a flat list with JSON Pointers. */
export function fieldProblems(error: ValidationError, parent: string): FieldProblem[] {
  const pointer = `${parent}/${escaped(error.property)}`;
  const own = Object.values(error.constraints ?? {}).map((detail) => ({ pointer, detail }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldProblems(child, pointer))];
}

/** A part of a JSON Pointer. Source: RFC 6901, section 3. */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
