import { AsyncLocalStorage } from 'node:async_hooks';

/** What every message of one causal chain carries along, across processes. */
export interface MessageContext {
  /** One id for the whole chain, from the first request to the last effect. */
  readonly correlationId: string;
  /** Id of the message that caused the work in progress (request, command or event). */
  readonly causationId?: string;
  /** Whose data it is. */
  readonly tenantId: string;
  /** W3C trace context of the caller, passed on unchanged. */
  readonly traceparent?: string;
  /** When the caller stops waiting, in Unix milliseconds. */
  readonly deadline?: number;
}

const storage = new AsyncLocalStorage<MessageContext>();

/** The context of the message being handled; undefined outside of one. */
export function currentMessage(): MessageContext | undefined {
  return storage.getStore();
}

/** Runs `work`, and whatever it awaits, in the given message context. */
export function withMessage<T>(context: MessageContext, work: () => T): T {
  return storage.run(context, work);
}
