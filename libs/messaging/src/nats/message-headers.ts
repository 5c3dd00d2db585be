import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { uuidv7, type MessageContext } from '@nestbox/kernel';
import { DEFAULT_TENANT } from '../outbox.js';
import { headerText, headerValue } from './header-text.js';

const CORRELATION = 'Nestbox-Correlation-Id';
const CAUSATION = 'Nestbox-Causation-Id';
const TENANT = 'Nestbox-Tenant';
const TRACEPARENT = 'traceparent';
/** Time left, not a point in time: clocks of two machines differ. */
const TIMEOUT = 'Nestbox-Timeout-Ms';

/** What a request carries besides its data. */
export function contextHeaders(context: MessageContext, timeoutMs: number): MsgHdrs {
  const result = headers();
  result.set(CORRELATION, headerValue(context.correlationId));
  result.set(TENANT, headerValue(context.tenantId));
  if (context.causationId !== undefined) result.set(CAUSATION, headerValue(context.causationId));
  if (context.traceparent !== undefined) result.set(TRACEPARENT, headerValue(context.traceparent));
  result.set(TIMEOUT, String(Math.ceil(timeoutMs)));
  return result;
}

/** The context of an arriving request. A sender that knows nothing of it starts a new chain. */
export function contextOf(message: MsgHdrs | undefined, defaultTimeoutMs: number): MessageContext & { readonly deadline: number } {
  const text = (name: string) => (message?.has(name) ? headerText(message.get(name)) : undefined);
  const timeout = Number(text(TIMEOUT));
  const causationId = text(CAUSATION);
  const traceparent = text(TRACEPARENT);
  return {
    correlationId: text(CORRELATION) ?? uuidv7(),
    tenantId: text(TENANT) ?? DEFAULT_TENANT,
    ...(causationId === undefined ? {} : { causationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    deadline: Date.now() + (Number.isFinite(timeout) && timeout > 0 ? timeout : defaultTimeoutMs),
  };
}
