import { ApiProperty } from '@nestjs/swagger';
import { AnswersView } from './answers.views.js';

export class OutboxEventView {
  @ApiProperty({ type: String, example: 'ordering' })
  readonly context!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Number in the log; null while it has none.', example: 17 })
  readonly n!: number | null;

  @ApiProperty({ type: String, format: 'uuid', description: 'Id of the event.' })
  readonly event!: string;

  @ApiProperty({ type: String, example: 'ordering.order-placed' })
  readonly type!: string;

  @ApiProperty({ type: String, example: 'default/ordering.order/42' })
  readonly key!: string;

  @ApiProperty({ type: String, enum: ['NEW', 'SENT', 'ERR'], description: 'Not on its way to the subscribers yet, on its way, or refused by the broker.' })
  readonly state!: 'NEW' | 'SENT' | 'ERR';

  @ApiProperty({ type: 'integer', example: 0 })
  readonly retries!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly committedAt!: string;

  @ApiProperty({ type: String })
  readonly correlationId!: string;
}

export class OutboxList extends AnswersView {
  @ApiProperty({ type: () => OutboxEventView, isArray: true, description: 'The newest fifty of each context.' })
  readonly items!: OutboxEventView[];
}

export class StreamView {
  @ApiProperty({ type: String, example: 'ordering' })
  readonly context!: string;

  @ApiProperty({ type: String, example: 'EVT_ordering' })
  readonly stream!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Null when there is no such stream: its relay declares it and fills it from the outbox.' })
  readonly created!: string | null;

  @ApiProperty({ type: 'integer', description: 'Number of the first event in it.', example: 1 })
  readonly first!: number;

  @ApiProperty({ type: 'integer', description: 'Number of the last event in it.', example: 17 })
  readonly last!: number;

  @ApiProperty({ type: 'integer', description: 'Number of the newest event of the log.', example: 17 })
  readonly head!: number;

  @ApiProperty({ type: 'integer', description: 'Events that are not in the stream yet.', example: 0 })
  readonly behind!: number;

  @ApiProperty({ type: 'integer', example: 17 })
  readonly messages!: number;

  @ApiProperty({ type: 'integer', example: 9_000 })
  readonly bytes!: number;

  @ApiProperty({ type: String, nullable: true, description: 'Host and process id of the relay that fills it; null when none does.' })
  readonly relay!: string | null;
}

export class StreamList extends AnswersView {
  @ApiProperty({ type: () => StreamView, isArray: true, description: 'None when events do not travel through NATS.' })
  readonly items!: StreamView[];
}
