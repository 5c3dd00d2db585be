import { AsyncLocalStorage } from 'node:async_hooks';
import { type Identity, SYSTEM } from './identity.js';
import { uuidv7 } from './ids.js';
import type { TraceContext } from './trace-context.js';

/** What every message of one causal chain carries along, across processes. */
export interface MessageContext extends TraceContext {
  /** One id for the whole chain, from the first request to the last effect. */
  readonly correlationId: string;
  /** Id of the message that caused the work in progress (request, command or event). */
  readonly causationId?: string;
  /** The command type or the event handler at work, for people who follow the chain. */
  readonly origin?: string;
  /** Whose data it is. */
  readonly tenantId: string;
  /** When the caller stops waiting, in Unix milliseconds. */
  readonly deadline?: number;
  /** Aborts at the deadline. Hand it to whatever takes long, to `fetch` for example. */
  readonly signal?: AbortSignal;
  /** Who has asked for the work; unset for a caller that nobody knows. */
  readonly identity?: Identity;
  /** What the caller knows a command by: repeated under the same key it is answered as the first time, and done once. */
  readonly idempotencyKey?: string;
  /** Told when a command was not run, because it had been before. */
  readonly onReplay?: () => void;
}

/** Whose data it is where nobody says. */
export const DEFAULT_TENANT = 'default';

const storage = new AsyncLocalStorage<MessageContext>();

/** The context of the message being handled; undefined outside of one. */
export function currentMessage(): MessageContext | undefined {
  return storage.getStore();
}

/** Whose data the work in progress is about. */
export function currentTenant(): string {
  return currentMessage()?.tenantId ?? DEFAULT_TENANT;
}

/** Runs `work`, and whatever it awaits, in the given message context. */
export function withMessage<T>(context: MessageContext, work: () => T): T {
  return storage.run(context, work);
}

/**
 * Runs `work` in the name of the system instead of the caller's: for what a caller may not do itself, but causes, and for what
 * nobody asks for, such as a job at a fixed time. Without a message around it, it is the first of a chain of its own.
 */
export function asSystem<T>(work: () => T, tenantId = DEFAULT_TENANT): T {
  return withMessage({ ...(currentMessage() ?? { correlationId: uuidv7(), tenantId }), identity: SYSTEM }, work);
}
