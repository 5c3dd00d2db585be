import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Equals, IsIn, IsInt, IsObject, Max, Min } from 'class-validator';
import { IsLeftOutOr } from '../domain/shared/fields.js';
import { IsConsent, IsName, IsOptionalName, IsStorable } from './operations.decorators.js';

/** Versions are kept as `int` of Postgres. */
const LARGEST_VERSION = 2_147_483_647;

/** Which trouble is meant; everything that is given has to be the case. */
export class TroubleFilter {
  @IsOptionalName({ description: 'Only in this context.', example: 'inventory' })
  readonly context?: string;

  @IsOptionalName({ description: 'Only of this reader: a context, or `<context>.<projection>`.' })
  readonly reader?: string;

  @IsOptionalName({ description: 'Only of this event handler.' })
  readonly handler?: string;

  @IsOptionalName({ description: 'Only of this key: `<tenant>/<aggregate type>/<aggregate id>`.' })
  readonly key?: string;

  @IsOptionalName({ description: 'Only of the event with this id.' })
  readonly event?: string;
}

export class ReplayBody extends TroubleFilter {
  @ApiProperty({ type: Boolean, required: false, enum: [true], description: 'Everything that is in trouble; needed when nothing else is said.', example: true })
  @IsLeftOutOr(Equals(true))
  readonly all?: true;
}

export class SkipBody extends ReplayBody {
  @IsConsent('Leave out what waits behind it, too.')
  readonly withWaiting?: boolean;
}

export class EditBody {
  @IsName({ description: 'Id of the event.', example: '01920000-0000-7000-8000-000000000000' })
  readonly event!: string;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'All fields of the event. Left out: those that it was committed with.', example: { orderId: '42' } })
  @IsLeftOutOr(IsObject(), IsStorable())
  readonly payload?: Record<string, unknown>;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: LARGEST_VERSION, required: false, description: 'When the payload has the shape of another version of the event.' })
  @IsLeftOutOr(IsInt(), Min(1), Max(LARGEST_VERSION))
  readonly schemaVersion?: number;

  @IsOptionalName({ description: 'Only in this context.' })
  readonly context?: string;

  @IsOptionalName({ description: 'Only for this event handler.' })
  readonly handler?: string;
}

export class TracePath {
  @IsName({ description: 'A correlation id, or the id of an event.', example: '019acf5e-7c00-7000-8000-000000000000' })
  readonly id!: string;
}

/** Which events of the outboxes to list. */
export class OutboxFilter {
  @IsOptionalName({ description: 'Only of this context.' })
  readonly context?: string;

  @ApiProperty({ enum: ['NEW', 'SENT', 'ERR'], required: false, description: 'Only those not on their way to the subscribers yet, on their way, or refused by the broker.' })
  @IsLeftOutOr(IsIn(['NEW', 'SENT', 'ERR']))
  readonly state?: 'NEW' | 'SENT' | 'ERR';
}

/** Which context is meant. */
export class ContextFilter {
  @IsOptionalName({ description: 'Only of this context.' })
  readonly context?: string;
}
