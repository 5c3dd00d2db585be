import { ApiProperty } from '@nestjs/swagger';
import { AnswersView } from './answers.views.js';
import { ApiTime } from './operations.decorators.js';

const STATES = ['handled', 'not yet', 'retrying', 'dead', 'queued', 'throttled', 'skipped', 'left out'] as const;

export class PublicationView {
  @ApiProperty({ type: String, example: 'ordering' })
  readonly context!: string;

  @ApiProperty({ type: String })
  readonly event!: string;

  @ApiProperty({ type: String, example: 'EVT_ordering' })
  readonly stream!: string;

  @ApiProperty({ type: 'integer', example: 17 })
  readonly sequence!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly at!: string;
}

/** What became of an event in one handler. */
export class HandlingView {
  @ApiProperty({ type: String, example: 'ordering' })
  readonly source!: string;

  @ApiProperty({ type: 'integer', example: 17 })
  readonly n!: number;

  @ApiProperty({ type: String, example: 'inventory' })
  readonly reader!: string;

  @ApiProperty({ type: String, example: 'ReserveStockWhenOrderPlaced' })
  readonly handler!: string;

  @ApiProperty({ type: String, enum: STATES })
  readonly state!: (typeof STATES)[number];

  @ApiTime('When; the latest possible time when it is not exact.')
  readonly at!: string | null;

  @ApiTime('The earliest possible time, when it is not exact and that is known.')
  readonly after!: string | null;

  @ApiProperty({ type: Boolean, description: 'Old positions are thinned out: then only a span is known.' })
  readonly exact!: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'Host and process id.' })
  readonly process!: string | null;

  @ApiProperty({ type: 'integer', description: 'Attempts that failed.', example: 0 })
  readonly attempts!: number;

  @ApiTime('When it is tried again.')
  readonly nextAttemptAt!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why the last attempt failed.' })
  readonly error!: string | null;

  @ApiProperty({ type: () => StoryEventView, isArray: true, description: 'Events that the handler has raised.' })
  readonly caused!: StoryEventView[];
}

/** An event, what became of it, and what it caused. */
export class StoryEventView {
  @ApiProperty({ type: String, example: 'ordering' })
  readonly context!: string;

  @ApiProperty({ type: String, format: 'uuid', description: 'Id of the event.' })
  readonly event!: string;

  @ApiProperty({ type: String, example: 'ordering.order-placed' })
  readonly type!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Number in the log; null while it has none.', example: 17 })
  readonly n!: number | null;

  @ApiProperty({ type: 'integer', example: 3 })
  readonly lane!: number;

  @ApiProperty({ type: String, example: 'default' })
  readonly tenantId!: string;

  @ApiProperty({ type: String, example: 'ordering.order' })
  readonly aggregateType!: string;

  @ApiProperty({ type: String })
  readonly aggregateId!: string;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly aggregateVersion!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly committedAt!: string;

  @ApiProperty({ type: String })
  readonly correlationId!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The request or event that it follows from.' })
  readonly causationId!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The command type or event handler that has raised it.', example: 'ordering.place-order' })
  readonly origin!: string | null;

  @ApiProperty({ type: () => PublicationView, nullable: true, description: 'Where the relay has put it; null when it did not, or that is no longer known.' })
  readonly published!: PublicationView | null;

  @ApiProperty({ type: () => HandlingView, isArray: true, description: 'In the order of time.' })
  readonly handlings!: HandlingView[];

  @ApiProperty({ type: () => StoryEventView, isArray: true, description: 'What followed from it, but was raised by none of the handlings.' })
  readonly caused!: StoryEventView[];
}

/** Everything that one request has led to. */
export class StoryView extends AnswersView {
  @ApiProperty({ type: String })
  readonly correlationId!: string;

  @ApiProperty({ type: 'integer', description: 'How many events there are.', example: 4 })
  readonly count!: number;

  @ApiProperty({ type: Boolean, description: 'There are more events than are told here.' })
  readonly cut!: boolean;

  @ApiProperty({ type: () => StoryEventView, isArray: true, description: 'Events that follow from no other event, with everything below them.' })
  readonly events!: StoryEventView[];
}
