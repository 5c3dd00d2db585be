import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, type ApiPropertyOptions, ApiTags } from '@nestjs/swagger';
import { ApiProblems, type ProblemDefinition } from '@nestbox/http';
import type { DefinedError } from '@nestbox/kernel';
import { operationsErrors } from '@nestbox/messaging';
import { IsBoolean, IsOptional, IsString, MaxLength } from 'class-validator';
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

/** A name or an id that may be left out. */
export function IsName(describe: Pick<ApiPropertyOptions, 'description' | 'example'>): PropertyDecorator {
  return applyDecorators(ApiProperty({ type: String, required: false, maxLength: 300, ...describe }), IsOptional(), IsString(), MaxLength(300));
}

/** Consent to something; left out, it is not given. */
export function IsConsent(description: string): PropertyDecorator {
  return applyDecorators(ApiProperty({ type: Boolean, required: false, default: false, description }), IsOptional(), IsBoolean());
}

/** A time of an answer that may be unknown. */
export function ApiTime(description: string): PropertyDecorator {
  return ApiProperty({ type: String, format: 'date-time', nullable: true, description });
}
