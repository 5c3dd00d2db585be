import { setTimeout as sleep } from 'node:timers/promises';
import { currentMessage, DEFAULT_TENANT, type MessageContext, UsageError, uuidv7, withMessage } from '@nestbox/kernel';
import { ConcurrencyConflict, type ContextDatabase, ForeignUnitOfWork, sqlState, UnitOfWork, type UnitOfWorkOptions } from '@nestbox/persistence';
import { contextOfType, type MessageClass, typeOfMessage } from './message-types.js';
import { authorize } from './access.js';
import { runOnce } from './idempotency.js';
import type { LocalMessage, MessageRegistry } from './registry.js';

/** Reaches the contexts of other processes. */
export interface RemoteCaller {
  /** Sends a command or query to the process that owns its context and returns the answer, typed errors included. */
  request(kind: 'command' | 'query', message: object): Promise<unknown>;
}

/** Attempts of a command without locks; later ones lock what they load, so that others wait for them. */
const OPTIMISTIC_ATTEMPTS = 3;
/** Longest pause before the next attempt, in ms: grows by the attempt, and is left to chance. */
const PAUSE_MS = { step: 5, most: 50 };

export interface DispatchLimits {
  /** How long a command or query may take when neither its caller nor its class says, in ms. */
  readonly timeoutMs: number;
  /** After so many ms an idempotency key is forgotten. */
  readonly keepKeysMs: number;
  /** Whether callers need the permissions that messages ask for. */
  readonly enforceAccess: boolean;
}

/** Brings commands and queries to their handlers: here, or in the process that owns the context. */
export class Dispatcher {
  constructor(private readonly registry: MessageRegistry, private readonly remote: RemoteCaller | undefined, private readonly limits: DispatchLimits) {}

  /** Runs a command or query. Errors are those of the handler, wherever it ran. */
  dispatch(kind: 'command' | 'query', message: object): Promise<unknown> {
    const type = typeOfMessage(message);
    if (kind === 'command') refuseForeignUnitOfWork(type);
    const timer = new DeadlineTimer();
    return withMessage(this.messageContext(message.constructor as MessageClass, timer), async () => {
      const answer = await this.answer(kind, type, message);
      timer.stop();
      return answer;
    });
  }

  private answer(kind: 'command' | 'query', type: string, message: object): Promise<unknown> {
    const local = this.registry.find(type);
    if (local) return this.run(local, message);
    if (this.remote && !this.isLocalContext(type)) return this.remote.request(kind, message);
    throw new UsageError(
      `Nothing handles the ${kind} "${type}": the context "${contextOfType(type)}" ${this.isLocalContext(type) ? 'is here but lists no handler for it' : 'is not in this process, and no broker is configured'}.`,
      `list its handler in the @ContextModule of "${contextOfType(type)}", or run a service that has the context.`,
    );
  }

  /** Runs a message that was found in this process' registry. @throws NotAuthenticated, PermissionMissing */
  async run(local: LocalMessage, message: object): Promise<unknown> {
    const { idempotencyKey: key, signal } = currentMessage()!;
    if (this.limits.enforceAccess) authorize(local.message);
    if (local.kind === 'query') return local.db.read(() => local.execute(message), signal);
    const work = (also?: UnitOfWorkOptions['also']) => this.retryConflicts(local.db, () => local.execute(message), also);
    // Inside another command it is a part of that one.
    if (key === undefined || UnitOfWork.current()) return work();
    return runOnce(local.db, message, key, this.limits.keepKeysMs, work);
  }

  /** A conflict is somebody else's success: load again and decide again, until the deadline. */
  private async retryConflicts(db: ContextDatabase, work: () => Promise<unknown>, also: UnitOfWorkOptions['also']): Promise<unknown> {
    // Inside another command the outer one starts again as a whole.
    if (UnitOfWork.current()) return UnitOfWork.run(db, work);
    const { deadline, signal } = currentMessage()!;
    for (let attempt = 1; ; attempt++) {
      try {
        return await UnitOfWork.run(db, work, { locking: attempt > OPTIMISTIC_ATTEMPTS, also, signal });
      } catch (error) {
        if (!isConflict(error) || Date.now() > deadline!) throw error;
        const pause = Math.min(PAUSE_MS.most, attempt * PAUSE_MS.step) * Math.random();
        await sleep(pause);
      }
    }
  }

  private messageContext({ type: origin, timeoutMs = Number.POSITIVE_INFINITY }: MessageClass, timer: DeadlineTimer): MessageContext {
    const current = currentMessage();
    const correlationId = current?.correlationId ?? uuidv7();
    const now = Date.now();
    const deadline = Math.min(current?.deadline ?? now + this.limits.timeoutMs, now + timeoutMs);
    const signal = deadline === current?.deadline ? current.signal : undefined;
    return {
      ...current,
      correlationId,
      causationId: current?.causationId ?? correlationId,
      origin,
      tenantId: current?.tenantId ?? DEFAULT_TENANT,
      deadline,
      signal: signal ?? timer.start(deadline - now),
    };
  }

  private isLocalContext(type: string): boolean {
    return this.registry.contexts.some(({ definition }) => definition.name === contextOfType(type));
  }
}

/** What a timer of Node can count. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * `AbortSignal.timeout` for work that is nearly always done long before: its timer can be stopped, and does not stay until the
 * deadline. It is not stopped when the work has failed: what is left of it may still look at the signal.
 */
class DeadlineTimer {
  private timer: NodeJS.Timeout | undefined;

  start(ms: number): AbortSignal {
    const controller = new AbortController();
    const abort = () => controller.abort(new DOMException('The time for this request was over.', 'TimeoutError'));
    if (ms > 0) this.timer = setTimeout(abort, Math.min(ms, LONGEST_TIMER_MS)).unref();
    else abort();
    return controller.signal;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** Lost against another transaction: by the version, or by a deadlock between those that lock. */
function isConflict(error: unknown): boolean {
  return error instanceof ConcurrencyConflict || sqlState(error) === '40P01';
}

/** In one process a command of another context could join the transaction; in several it cannot. So it never may. */
function refuseForeignUnitOfWork(type: string): void {
  const open = UnitOfWork.current();
  if (open && open.db.context !== contextOfType(type)) throw new ForeignUnitOfWork(contextOfType(type), open.db.context, `The command "${type}"`);
}

