import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { DomainError } from '@nestbox/kernel';
import { operationsErrors, Operator } from '@nestbox/messaging';
import { adminErrors } from './admin.errors.js';
import { ApiRefusals, ForOperators } from './operations.decorators.js';
import { ForgetQuery, ForgottenView, MovedView, ProjectionPath, ReaderList, ReaderPath, RebuildBody, RebuiltView, ResetBody, RewindBody } from './readers.views.js';
import { ContextFilter } from './trouble.bodies.js';

const { beyondTheLog, deadEvents, needsConsent, noLongerKept, noSuchProjection, noSuchReader, readerIsAlive, relayHasNoPosition, severalSources, streamTooShort } = operationsErrors;
const MOVING = [noSuchReader, needsConsent, deadEvents, noLongerKept, streamTooShort, beyondTheLog, severalSources, relayHasNoPosition];

@ForOperators()
@Controller('admin')
export class ReadersController {
  constructor(private readonly operator: Operator) {}

  @Get('readers')
  @ApiOperation({ operationId: 'listReaders', summary: 'List who reads events, where they stand, and what is behind that', description: 'Every reader with its lanes: a context with event handlers, a projection, or a relay.' })
  @ApiOkResponse({ type: ReaderList })
  @ApiRefusals()
  list(@Query() { context }: ContextFilter): Promise<ReaderList> {
    return this.operator.readers(context) as Promise<ReaderList>;
  }

  @Post('readers/:reader/reset')
  @HttpCode(200)
  @ApiOperation({ operationId: 'resetReader', summary: 'Set a reader to the first event, or past the last one', description: 'It goes on there at once. What that repeats or leaves out has to be consented to.' })
  @ApiOkResponse({ type: MovedView })
  @ApiRefusals(...MOVING)
  reset(@Param() { reader }: ReaderPath, @Body() { to, ...consents }: ResetBody): Promise<MovedView> {
    return this.operator.move({ reader, from: to, ...consents });
  }

  @Post('readers/:reader/rewind')
  @HttpCode(200)
  @ApiOperation({ operationId: 'rewindReader', summary: 'Set a reader back, so that it handles events again', description: 'To an event or to a time. What that repeats has to be consented to.' })
  @ApiBody({ type: RewindBody, examples: { number: { value: { from: 17, repeatEffects: true } }, time: { value: { since: '2026-03-01T12:00:00.000Z', repeatEffects: true } } } })
  @ApiOkResponse({ type: MovedView })
  @ApiRefusals(...MOVING, adminErrors.noPlace)
  rewind(@Param() { reader }: ReaderPath, @Body() { from, since, ...consents }: RewindBody): Promise<MovedView> {
    if ((from === undefined) === (since === undefined)) throw new DomainError(adminErrors.noPlace, 'Say either from (the number of an event) or since (a time).');
    return this.operator.move({ reader, from: from ?? { time: since! }, ...consents });
  }

  @Delete('readers/:reader')
  @ApiOperation({ operationId: 'forgetReader', summary: 'Forget a reader that will not come back', description: 'Its positions and its trouble are removed: no events are kept for it any more.' })
  @ApiOkResponse({ type: ForgottenView })
  @ApiRefusals(noSuchReader, readerIsAlive)
  async forget(@Param() { reader }: ReaderPath, @Query() { context, source }: ForgetQuery): Promise<ForgottenView> {
    return { lanes: await this.operator.forget(reader, { ...(context && { context }), ...(source && { source }) }) };
  }

  @Post('projections/:name/rebuild')
  @HttpCode(200)
  @ApiOperation({ operationId: 'rebuildProjection', summary: 'Empty a projection and fill it again from the first event', description: 'Everything goes on meanwhile; `listReaders` shows how far it is.' })
  @ApiOkResponse({ type: RebuiltView })
  @ApiRefusals(noSuchProjection, noSuchReader, deadEvents, noLongerKept, streamTooShort)
  async rebuild(@Param() { name }: ProjectionPath, @Body() { discardTrouble = false }: RebuildBody): Promise<RebuiltView> {
    return { lanes: await this.operator.rebuild(name, { discardTrouble }) };
  }
}
