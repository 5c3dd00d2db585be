import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, type ApiPropertyOptions, ApiTags } from '@nestjs/swagger';
import { ApiProblems, type ProblemDefinition } from '@nestbox/http';
import type { DefinedError } from '@nestbox/kernel';
import { operationsErrors } from '@nestbox/messaging';
import { IsBoolean, Matches, ValidateBy } from 'class-validator';
import { IsLeftOutOr } from '../domain/shared/fields.js';
import { OperationsGuard } from './operations.guard.js';

/** Name of the security scheme in the OpenAPI document. */
export const ADMIN_SCHEME = 'admin-token';

/** A controller for whoever operates the system. */
export function ForOperators(): ClassDecorator {
  return applyDecorators(ApiTags('operations'), ApiBearerAuth(ADMIN_SCHEME), UseGuards(OperationsGuard));
}

/** Documents the refusals of an operation of `/admin`, beside those that all have. */
export function ApiRefusals(...errors: readonly DefinedError<ProblemDefinition>[]): MethodDecorator {
  return ApiProblems(operationsErrors.noSuchContext, ...errors);
}

/** A name or an id; no database has one with control characters in it, or halves of characters. */
export function IsName(describe: Pick<ApiPropertyOptions, 'description' | 'example'> & { readonly required?: boolean }): PropertyDecorator {
  return applyDecorators(ApiProperty({ type: String, maxLength: 300, ...describe }), Matches(/^[^\p{Cc}\p{Cs}]{0,300}$/u, { message: '$property must be a text of at most 300 characters, without control characters' }));
}

/** A name or an id that may be left out. */
export function IsOptionalName(describe: Pick<ApiPropertyOptions, 'description' | 'example'>): PropertyDecorator {
  return IsLeftOutOr(IsName({ required: false, ...describe }));
}

/** JSON that Postgres can keep as `jsonb`: without the character 0, and without halves of characters. */
export function IsStorable(): PropertyDecorator {
  const validate = (value: unknown) => !/\\u(0000|d[89a-f][0-9a-f]{2})/.test(JSON.stringify(value));
  return ValidateBy({ name: 'storable', validator: { validate, defaultMessage: () => '$property must have no character 0 and no half characters in it' } });
}

/** Consent to something; left out, it is not given. */
export function IsConsent(description: string): PropertyDecorator {
  return applyDecorators(ApiProperty({ type: Boolean, required: false, default: false, description }), IsLeftOutOr(IsBoolean()));
}

/** A time of an answer that may be unknown. */
export function ApiTime(description: string): PropertyDecorator {
  return ApiProperty({ type: String, format: 'date-time', nullable: true, description });
}
