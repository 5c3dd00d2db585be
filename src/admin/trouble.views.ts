import { ApiProperty } from '@nestjs/swagger';
import { AnswersView } from './answers.views.js';
import { ApiTime } from './operations.decorators.js';

export class WaitingEventView {
  @ApiProperty({ type: 'integer', description: 'Number in the log of `source`.', example: 17 })
  readonly n!: number;

  @ApiProperty({ type: String, description: 'Id of the event.' })
  readonly event!: string;

  @ApiProperty({ type: String, example: 'ordering.order-placed' })
  readonly type!: string;

  @ApiProperty({ type: String, enum: ['replay', 'skip'], nullable: true, description: 'What a person has asked for, until it is done.' })
  readonly request!: 'replay' | 'skip' | null;

  @ApiProperty({ type: Boolean, description: 'Whether a person has given it another payload.' })
  readonly edited!: boolean;
}

export class TroubleErrorView {
  @ApiProperty({ type: String, required: false, example: 'TypeError' })
  readonly name?: string;

  @ApiProperty({ type: String })
  readonly message!: string;
}

export class TroubleView extends WaitingEventView {
  @ApiProperty({ type: String, description: 'Where the handler is.', example: 'inventory' })
  readonly context!: string;

  @ApiProperty({ type: String, description: 'The context, `<context>.<projection>`, or `relay`.', example: 'inventory' })
  readonly reader!: string;

  @ApiProperty({ type: String, description: 'The context that has published the event.', example: 'ordering' })
  readonly source!: string;

  @ApiProperty({ type: 'integer', example: 3 })
  readonly lane!: number;

  @ApiProperty({ type: String, example: 'ReserveStockWhenOrderPlaced' })
  readonly handler!: string;

  @ApiProperty({ type: String, description: '`<tenant>/<aggregate type>/<aggregate id>`', example: 'default/ordering.order/42' })
  readonly key!: string;

  @ApiProperty({ type: String, enum: ['retrying', 'dead', 'throttled'], description: '`dead` waits for a person; `throttled` is held back because its tenant has many, and handled in turns.' })
  readonly state!: 'retrying' | 'dead' | 'throttled';

  @ApiProperty({ type: 'integer', example: 5 })
  readonly attempts!: number;

  @ApiProperty({ type: String, format: 'date-time', description: 'When it came into trouble.' })
  readonly since!: string;

  @ApiTime('When the last attempt failed.')
  readonly failedAt!: string | null;

  @ApiTime('When it is tried again without a person.')
  readonly nextAttemptAt!: string | null;

  @ApiProperty({ type: () => TroubleErrorView, nullable: true })
  readonly error!: TroubleErrorView | null;

  @ApiProperty({ type: String })
  readonly correlationId!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly committedAt!: string;

  @ApiProperty({ type: 'integer', description: 'How many events of its key wait behind it.', example: 0 })
  readonly waiting!: number;

  @ApiProperty({ type: () => WaitingEventView, isArray: true, description: 'The first ten of them.' })
  readonly behind!: WaitingEventView[];
}

export class TroubleList extends AnswersView {
  @ApiProperty({ type: () => TroubleView, isArray: true, description: 'The first event of every blocked key, those first that wait longest.' })
  readonly items!: TroubleView[];
}

export class AskedView extends AnswersView {
  @ApiProperty({ type: 'integer', description: 'For how many events it was asked. The owners of their lanes do it, in order.', example: 1 })
  readonly asked!: number;
}
