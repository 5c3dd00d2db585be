import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, ApiResponse, getSchemaPath } from '@nestjs/swagger';

/** One field of a request that breaks a rule. */
export class FieldProblem {
  @ApiProperty({ type: String, description: 'JSON Pointer to the field.', example: '/lines/0/quantity' })
  readonly pointer!: string;

  @ApiProperty({ type: String, example: 'quantity must be a whole number from 1 to 1000000' })
  readonly detail!: string;
}

/** An error as the API says it. Source: RFC 9457. */
export class Problem {
  @ApiProperty({ type: String, description: 'Names the kind of problem, for programs.' })
  readonly type!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ type: 'integer' })
  readonly status!: number;

  @ApiProperty({ type: String, description: 'What was wrong this time, and what to do.' })
  readonly detail!: string;

  @ApiProperty({ type: () => FieldProblem, isArray: true, required: false })
  readonly errors?: FieldProblem[];
}

const CONTENT_TYPE = 'application/problem+json';

/** Documents the refusals of an operation: why each status is answered. */
export function ApiProblems(reasons: Readonly<Record<number, string>>): MethodDecorator {
  const responses = Object.entries(reasons).map(([status, description]) =>
    ApiResponse({ status: Number(status), description, content: { [CONTENT_TYPE]: { schema: { $ref: getSchemaPath(Problem) } } } }),
  );
  return applyDecorators(ApiExtraModels(Problem), ...responses);
}
