import { currentMessage, type MessageContext, UsageError, uuidv7, withMessage } from '@nestbox/kernel';
import { ConcurrencyConflict, ForeignUnitOfWork, UnitOfWork } from '@nestbox/persistence';
import { contextOfType, typeOfMessage } from './message-types.js';
import type { LocalMessage, MessageRegistry } from './registry.js';
import { DEFAULT_TENANT } from './outbox.js';

/** Reaches the contexts of other processes. */
export interface RemoteCaller {
  /** Sends a command or query to the process that owns its context and returns the answer, typed errors included. */
  request(kind: 'command' | 'query', message: object): Promise<unknown>;
}

/** Attempts for a command that loses against another on the same aggregate. */
const MAX_ATTEMPTS = 10;
const RETRY_STEP_MS = 5;

/** Brings commands and queries to their handlers: here, or in the process that owns the context. */
export class Dispatcher {
  constructor(private readonly registry: MessageRegistry, private readonly remote: RemoteCaller | undefined, private readonly timeoutMs: number) {}

  /** Runs a command or query. Errors are those of the handler, wherever it ran. */
  dispatch(kind: 'command' | 'query', message: object): Promise<unknown> {
    const type = typeOfMessage(message);
    if (kind === 'command') refuseForeignUnitOfWork(type);
    return withMessage(this.messageContext(), async () => {
      const local = this.registry.find(type);
      if (local) return this.run(local, message);
      if (this.remote && !this.isLocalContext(type)) return this.remote.request(kind, message);
      throw new UsageError(
        `Nothing handles the ${kind} "${type}": the context "${contextOfType(type)}" ${this.isLocalContext(type) ? 'is here but lists no handler for it' : 'is not in this process, and no broker is configured'}.`,
        `list its handler in the @ContextModule of "${contextOfType(type)}", or run a service that has the context.`,
      );
    });
  }

  /** Runs a message that was found in this process' registry. */
  run(local: LocalMessage, message: object): Promise<unknown> {
    if (local.kind === 'query') return local.db.read(() => local.execute(message));
    return this.retryConflicts(() => UnitOfWork.run(local.db, () => local.execute(message)));
  }

  /** A conflict is somebody else's success: load again and decide again, until the deadline. */
  private async retryConflicts<T>(work: () => Promise<T>): Promise<T> {
    // Inside another command the outer one starts again as a whole.
    if (UnitOfWork.current()) return work();
    const deadline = currentMessage()!.deadline!;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ConcurrencyConflict) || attempt === MAX_ATTEMPTS || Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * RETRY_STEP_MS * Math.random()));
      }
    }
  }

  private messageContext(): MessageContext {
    const current = currentMessage();
    const correlationId = current?.correlationId ?? uuidv7();
    return {
      ...current,
      correlationId,
      causationId: current?.causationId ?? correlationId,
      tenantId: current?.tenantId ?? DEFAULT_TENANT,
      deadline: current?.deadline ?? Date.now() + this.timeoutMs,
    };
  }

  private isLocalContext(type: string): boolean {
    return this.registry.contexts.some(({ definition }) => definition.name === contextOfType(type));
  }
}

/** In one process a command of another context could join the transaction; in several it cannot. So it never may. */
function refuseForeignUnitOfWork(type: string): void {
  const open = UnitOfWork.current();
  if (open && open.db.context !== contextOfType(type)) throw new ForeignUnitOfWork(contextOfType(type), open.db.context, `The command "${type}"`);
}

