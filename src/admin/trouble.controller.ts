import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { DomainError } from '@nestbox/kernel';
import { operationsErrors, Operator } from '@nestbox/messaging';
import { adminErrors } from './admin.errors.js';
import { ApiRefusals, ForOperators } from './operations.decorators.js';
import { EditBody, ReplayBody, SkipBody, TroubleFilter } from './trouble.bodies.js';
import { AskedView, TroubleList } from './trouble.views.js';

const { noAnswer, notInTrouble, tooLargeForTheBroker, unknownId, waitsBehindAnother } = operationsErrors;

@ForOperators()
@Controller('admin/trouble')
export class TroubleController {
  constructor(private readonly operator: Operator) {}

  @Get()
  @ApiOperation({ operationId: 'listTrouble', summary: 'List events that failed, and what waits behind them', description: 'The first event of each key that is blocked; what waits behind it is not tried before it.' })
  @ApiOkResponse({ type: TroubleList })
  @ApiRefusals()
  list(@Query() { context, ...target }: TroubleFilter): Promise<TroubleList> {
    return this.operator.trouble(target, context) as Promise<TroubleList>;
  }

  @Post('replay')
  @HttpCode(200)
  @ApiOperation({ operationId: 'replayTrouble', summary: 'Try the first event of each key again', description: 'What waits behind it follows, in order. Saying it twice changes nothing.' })
  @ApiBody({ type: ReplayBody, examples: { everything: { value: { all: true } }, handler: { value: { context: 'inventory', handler: 'ReserveStockWhenOrderPlaced' } } } })
  @ApiOkResponse({ type: AskedView })
  @ApiRefusals(notInTrouble, noAnswer, waitsBehindAnother, tooLargeForTheBroker, adminErrors.noTarget)
  replay(@Body() { context, all, ...target }: ReplayBody): Promise<AskedView> {
    requireTarget({ context, ...target }, all);
    return this.operator.request({ ...target, request: 'replay' }, context) as Promise<AskedView>;
  }

  @Post('skip')
  @HttpCode(200)
  @ApiOperation({ operationId: 'skipTrouble', summary: 'Leave the first event of each key out', description: 'What waits behind it follows, in order, unless it is to be left out, too. An event that is named is left out wherever it waits.' })
  @ApiBody({ type: SkipBody, examples: { event: { value: { event: '01920000-0000-7000-8000-000000000000' } }, key: { value: { key: 'default/ordering.order/42', withWaiting: true } } } })
  @ApiOkResponse({ type: AskedView })
  @ApiRefusals(notInTrouble, noAnswer, adminErrors.noTarget)
  skip(@Body() { context, all, withWaiting, ...target }: SkipBody): Promise<AskedView> {
    requireTarget({ context, ...target }, all);
    return this.operator.request({ ...target, request: 'skip', ...(withWaiting && { withWaiting }) }, context) as Promise<AskedView>;
  }

  @Post('edit')
  @HttpCode(200)
  @ApiOperation({ operationId: 'editTrouble', summary: 'Replay an event with another payload', description: 'Without one, as it was committed. One that is not the first of its key keeps its place.' })
  @ApiOkResponse({ type: AskedView })
  @ApiRefusals(notInTrouble, noAnswer, unknownId)
  edit(@Body() { context, payload, schemaVersion, ...target }: EditBody): Promise<AskedView> {
    const asked = payload ? this.operator.edit({ ...target, payload, ...(schemaVersion && { schemaVersion }) }, context) : this.operator.restore(target, context);
    return asked as Promise<AskedView>;
  }
}

/** A forgotten field must not mean everything. */
function requireTarget(target: object, all: true | undefined): void {
  const narrowed = Object.values(target).some((value) => value !== undefined);
  if (narrowed === (all !== undefined)) throw new DomainError(adminErrors.noTarget, 'Say which trouble is meant (context, reader, handler, key or event), or all: true.');
}
