import { DomainError, type ErrorDefinition } from './errors.js';

/** The time that the caller had given was over before the work was done. Nothing of it was stored. */
export class DeadlineExceeded extends DomainError {
  static readonly definition = {
    code: 'messaging.deadline-exceeded', kind: 'timeout', title: 'Out of time',
    cause: 'The time for the request was over before it was done. Nothing was changed.',
    cure: 'Repeat it; with more time, if it takes long: `Prefer: wait=<seconds>`.',
  } as const satisfies ErrorDefinition;

  constructor() {
    super(DeadlineExceeded.definition, 'The time for this request was over before it was done; nothing was changed. Repeat it, with more time if it takes long.');
  }
}

/**
 * Begins `work`, and waits for it until `signal` aborts. The work is not waited for any longer then; it stops by itself when it looks
 * at the signal, or at the next thing that it asks of a unit of work.
 * @throws DeadlineExceeded, or what `work` throws
 */
export async function beforeAbort<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work();
  if (signal.aborted) throw new DeadlineExceeded();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new DeadlineExceeded());
  signal.addEventListener('abort', abort, { once: true });
  try {
    // A failure of the one that loses is of no interest to anybody: the race has taken it.
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
