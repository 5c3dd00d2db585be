import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, Min } from 'class-validator';
import { IsLeftOutOr, IsTime } from '../domain/shared/fields.js';
import { AnswersView } from './answers.views.js';
import { ApiTime, IsConsent, IsName, IsOptionalName } from './operations.decorators.js';

export class LaneView {
  @ApiProperty({ type: 'integer', example: 3 })
  readonly lane!: number;

  @ApiProperty({ type: 'integer', description: 'It has everything up to and including this number.', example: 17 })
  readonly n!: number;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Events of the lane that it does not have; null when their context does not answer.', example: 0 })
  readonly behind!: number | null;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly movedAt!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Host and process id of its owner; null while nobody owns it.' })
  readonly owner!: string | null;
}

export class ReaderView {
  @ApiProperty({ type: String, example: 'reporting' })
  readonly context!: string;

  @ApiProperty({ type: String, description: 'The context, `<context>.<projection>`, or `relay`.', example: 'reporting.sales-report' })
  readonly reader!: string;

  @ApiProperty({ type: String, description: 'The context whose events it reads.', example: 'ordering' })
  readonly source!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Events that it does not have.', example: 0 })
  readonly behind!: number | null;

  @ApiTime('When the oldest of them was committed.')
  readonly oldest!: string | null;

  @ApiProperty({ type: 'integer', example: 0 })
  readonly blockedKeys!: number;

  @ApiProperty({ type: 'integer', description: 'Keys that wait for a person.', example: 0 })
  readonly deadKeys!: number;

  @ApiProperty({ type: 'integer', description: 'Events that it has passed and handles in turns, because their tenant has many.', example: 0 })
  readonly heldBack!: number;

  @ApiProperty({ type: () => LaneView, isArray: true })
  readonly lanes!: LaneView[];
}

export class ReaderList extends AnswersView {
  @ApiProperty({ type: () => ReaderView, isArray: true })
  readonly items!: ReaderView[];
}

export class MovedView {
  @ApiProperty({ type: 'integer', example: 32 })
  readonly lanes!: number;

  @ApiProperty({ type: 'integer', description: 'The number of the event that it goes on with.', example: 1 })
  readonly from!: number;
}

export class RebuiltView {
  @ApiProperty({ type: 'integer', description: 'How many lanes start again.', example: 32 })
  readonly lanes!: number;
}

export class ForgottenView {
  @ApiProperty({ type: 'integer', description: 'How many lanes it had.', example: 32 })
  readonly lanes!: number;
}

export class ReaderPath {
  @IsName({ description: 'A context, or `<context>.<projection>`.', example: 'reporting.sales-report' })
  readonly reader!: string;
}

export class ProjectionPath {
  @IsName({ description: 'Without its context.', example: 'sales-report' })
  readonly name!: string;
}

export class ForgetQuery {
  @IsOptionalName({ description: 'Where it was, for one that is not named like its context.' })
  readonly context?: string;

  @IsOptionalName({ description: 'Only its position in the log of this context.' })
  readonly source?: string;
}

class MoveConsents {
  @IsOptionalName({ description: 'Whose events, when it reads those of several contexts.', example: 'ordering' })
  readonly source?: string;

  @IsConsent('Forget its events that are in trouble.')
  readonly discardTrouble?: boolean;

  @IsConsent('Yes, do again what its handlers have done for the events in between.')
  readonly repeatEffects?: boolean;
}

export class ResetBody extends MoveConsents {
  @ApiProperty({ enum: ['start', 'now'], description: 'The first event, or past the last one.' })
  @IsIn(['start', 'now'])
  readonly to!: 'start' | 'now';

  @IsConsent('Yes, never handle the events in between.')
  readonly leaveOut?: boolean;
}

export class RewindBody extends MoveConsents {
  @ApiProperty({ type: 'integer', minimum: 1, required: false, description: 'Number of the first event to handle again.', example: 17 })
  @IsLeftOutOr(IsInt(), Min(1))
  readonly from?: number;

  @IsLeftOutOr(IsTime({ required: false, description: 'Instead of a number: when the first event to handle again was committed, or before it.' }))
  readonly since?: string;
}

export class RebuildBody {
  @IsConsent('Forget its events that wait for a person; they are handled again like all others.')
  readonly discardTrouble?: boolean;
}
