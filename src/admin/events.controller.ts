import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { operationsErrors, Operator } from '@nestbox/messaging';
import { OutboxList, StreamList } from './events.views.js';
import { ApiRefusals, ForOperators } from './operations.decorators.js';
import { StoryView } from './story.views.js';
import { ContextFilter, OutboxFilter, TracePath } from './trouble.bodies.js';

@ForOperators()
@Controller('admin')
export class EventsController {
  constructor(private readonly operator: Operator) {}

  @Get('trace/:id')
  @ApiOperation({ operationId: 'trace', summary: 'Tell the story of a request or event through all contexts', description: 'By its correlation id (`X-Request-Id`, `traceId` of a problem) or the id of one of its events.' })
  @ApiOkResponse({ type: StoryView })
  @ApiRefusals(operationsErrors.unknownId)
  trace(@Param() { id }: TracePath): Promise<StoryView> {
    return this.operator.trace(id) as Promise<StoryView>;
  }

  @Get('outbox')
  @ApiOperation({ operationId: 'listOutbox', summary: 'List the newest events, and whether they are on their way', description: 'Out of the outbox of each context.' })
  @ApiOkResponse({ type: OutboxList })
  @ApiRefusals()
  outbox(@Query() { context, state }: OutboxFilter): Promise<OutboxList> {
    return this.operator.outbox(state === undefined ? {} : { state }, context) as Promise<OutboxList>;
  }

  @Get('streams')
  @ApiOperation({ operationId: 'listStreams', summary: 'List the streams beside the logs that they are filled from', description: 'None where events travel without a broker.' })
  @ApiOkResponse({ type: StreamList })
  @ApiRefusals()
  streams(@Query() { context }: ContextFilter): Promise<StreamList> {
    return this.operator.streamStates(context) as Promise<StreamList>;
  }
}
