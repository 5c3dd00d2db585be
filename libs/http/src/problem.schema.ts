import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { FieldProblem as FieldProblemJson, Problem as ProblemJson } from './problem.js';

/** One field of a request that breaks a rule. */
export class FieldProblem implements FieldProblemJson {
  @ApiProperty({ type: String, description: 'JSON Pointer to the field.', example: '/lines/0/quantity' })
  readonly pointer!: string;

  @ApiProperty({ type: String, example: 'quantity must be a whole number from 1 to 1000000' })
  readonly detail!: string;
}

/** An error as the API says it. Source: RFC 9457. */
export class Problem implements ProblemJson {
  @ApiProperty({ type: String, description: 'Names the kind of problem, the same for every occurrence; its page explains it.', example: '/problems/http.invalid-request' })
  readonly type!: string;

  @ApiProperty({ type: String, example: 'Invalid request' })
  readonly title!: string;

  @ApiProperty({ type: 'integer', example: 400 })
  readonly status!: number;

  @ApiProperty({ type: String, description: 'What was wrong this time, and what to do.' })
  readonly detail!: string;

  @ApiProperty({ type: String, required: false, description: 'The request that it is about.', example: '/v1/orders' })
  readonly instance?: string;

  @ApiProperty({ type: String, description: 'Stable name of the error, for programs.', example: 'http.invalid-request' })
  readonly code!: string;

  @ApiProperty({ type: String, required: false, description: 'Correlation id of the request, to be found in the logs.' })
  readonly traceId?: string;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'Facts about the error, for programs.', example: { orderId: '42' } })
  readonly details?: Readonly<Record<string, unknown>>;

  @ApiProperty({ type: () => FieldProblem, isArray: true, required: false, description: 'Which fields break a rule, and why.' })
  readonly errors?: FieldProblem[];
}
