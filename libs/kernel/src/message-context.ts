import { AsyncLocalStorage } from 'node:async_hooks';
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
  /** Who has asked for the work; unset for what nobody asked for, and for callers that nobody knows. */
  readonly identity?: Identity;
  /** What the caller knows a command by: repeated under the same key it is answered as the first time, and done once. */
  readonly idempotencyKey?: string;
  /** Told when a command was not run, because it had been before. */
  readonly onReplay?: () => void;
}

/** A caller, as somebody trustworthy has described it. */
export interface Identity {
  /** Stable id of the person or service. */
  readonly subject: string;
  /** What it may do. */
  readonly permissions: readonly string[];
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
