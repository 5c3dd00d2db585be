import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Equals, IsIn, IsInt, IsObject, IsOptional, IsString, Min } from 'class-validator';
import { IsConsent, IsName } from './operations.decorators.js';

/** Which trouble is meant; everything that is given has to be the case. */
export class TroubleFilter {
  @IsName({ description: 'Only in this context.', example: 'inventory' })
  readonly context?: string;

  @IsName({ description: 'Only of this reader: a context, or `<context>.<projection>`.' })
  readonly reader?: string;

  @IsName({ description: 'Only of this event handler.' })
  readonly handler?: string;

  @IsName({ description: 'Only of this key: `<tenant>/<aggregate type>/<aggregate id>`.' })
  readonly key?: string;

  @IsName({ description: 'Only of the event with this id.' })
  readonly event?: string;
}

export class ReplayBody extends TroubleFilter {
  @ApiProperty({ type: Boolean, required: false, enum: [true], description: 'Everything that is in trouble; needed when nothing else is said.', example: true })
  @IsOptional()
  @Equals(true)
  readonly all?: true;
}

export class SkipBody extends ReplayBody {
  @IsConsent('Leave out what waits behind it, too.')
  readonly withWaiting?: boolean;
}

export class EditBody {
  @ApiProperty({ type: String, description: 'Id of the event.' })
  @IsString()
  readonly event!: string;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'All fields of the event. Left out: those that it was committed with.', example: { orderId: '42' } })
  @IsOptional()
  @IsObject()
  readonly payload?: Record<string, unknown>;

  @ApiProperty({ type: 'integer', minimum: 1, required: false, description: 'When the payload has the shape of another version of the event.' })
  @IsOptional()
  @IsInt()
  @Min(1)
  readonly schemaVersion?: number;

  @IsName({ description: 'Only in this context.' })
  readonly context?: string;

  @IsName({ description: 'Only for this event handler.' })
  readonly handler?: string;
}

/** Which events of the outboxes to list. */
export class OutboxFilter {
  @IsName({ description: 'Only of this context.' })
  readonly context?: string;

  @ApiProperty({ enum: ['NEW', 'SENT', 'ERR'], required: false, description: 'Only those not on their way to the subscribers yet, on their way, or refused by the broker.' })
  @IsOptional()
  @IsIn(['NEW', 'SENT', 'ERR'])
  readonly state?: 'NEW' | 'SENT' | 'ERR';
}

/** Which context is meant. */
export class ContextFilter {
  @IsName({ description: 'Only of this context.' })
  readonly context?: string;
}
