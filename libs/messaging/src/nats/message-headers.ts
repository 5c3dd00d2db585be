import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { continueTrace, DEFAULT_TENANT, type MessageContext, uuidv7 } from '@nestbox/kernel';
import { headerText, headerValue } from './header-text.js';

const CORRELATION = 'Nestbox-Correlation-Id';
const CAUSATION = 'Nestbox-Causation-Id';
const TENANT = 'Nestbox-Tenant';
const TRACEPARENT = 'traceparent';
const REPLAYED = 'Nestbox-Replayed';
const IDEMPOTENCY_KEY = 'Nestbox-Idempotency-Key';
const TRACESTATE = 'tracestate';
/** Time left, not a point in time: clocks of two machines differ. */
const TIMEOUT = 'Nestbox-Timeout-Ms';

/** What a request carries besides its data. */
export function contextHeaders(context: MessageContext, timeoutMs: number): MsgHdrs {
  const result = headers();
  result.set(CORRELATION, headerValue(context.correlationId));
  result.set(TENANT, headerValue(context.tenantId));
  if (context.causationId !== undefined) result.set(CAUSATION, headerValue(context.causationId));
  if (context.traceparent !== undefined) result.set(TRACEPARENT, headerValue(context.traceparent));
  if (context.idempotencyKey !== undefined) result.set(IDEMPOTENCY_KEY, headerValue(context.idempotencyKey));
  if (context.tracestate !== undefined) result.set(TRACESTATE, headerValue(context.tracestate));
  result.set(TIMEOUT, String(Math.ceil(timeoutMs)));
  return result;
}

/** Says in an answer that the command was not run, because it had been before. */
export function replayHeaders(): MsgHdrs {
  const result = headers();
  result.set(REPLAYED, 'true');
  return result;
}

export function isReplay(answer: MsgHdrs | undefined): boolean {
  return answer?.has(REPLAYED) === true;
}

/** The context of an arriving request, a new span in the trace of its sender. A sender that knows nothing of it starts a new chain. */
export function contextOf(message: MsgHdrs | undefined, defaultTimeoutMs: number): MessageContext & { readonly deadline: number } {
  const text = (name: string) => (message?.has(name) ? headerText(message.get(name)) : undefined);
  const timeout = Number(text(TIMEOUT));
  const causationId = text(CAUSATION);
  const idempotencyKey = text(IDEMPOTENCY_KEY);
  const [traceparent, tracestate] = [text(TRACEPARENT), text(TRACESTATE)];
  return {
    correlationId: text(CORRELATION) ?? uuidv7(),
    tenantId: text(TENANT) ?? DEFAULT_TENANT,
    ...(causationId === undefined ? {} : { causationId }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...continueTrace({ ...(traceparent !== undefined && { traceparent }), ...(tracestate !== undefined && { tracestate }) }),
    deadline: Date.now() + (Number.isFinite(timeout) && timeout > 0 ? timeout : defaultTimeoutMs),
  };
}
