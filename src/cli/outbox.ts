import type { OutboxEntry } from '@nestbox/messaging';
import { print, shortTime, table, warnOfSilent, WrongArgument } from './output.js';
import { withOperator } from './with-operator.js';

const STATES = ['NEW', 'SENT', 'ERR'] as const;

/** `outbox list [context]`: the newest events, and whether they are on their way. */
export async function list(context: string | undefined, { state, limit, json }: { state?: string; limit: number; json: boolean }): Promise<void> {
  const wanted = STATES.find((known) => known === state?.toUpperCase());
  if (state !== undefined && !wanted) throw new WrongArgument(`--state is "${state}".`, `Use one of: ${STATES.join(', ')}.`);
  await withOperator(async ({ operator }) => {
    const { items, silent } = await operator.outbox({ limit, ...(wanted && { state: wanted }) }, context);
    const newest = items.toSorted((left, right) => right.committedAt.localeCompare(left.committedAt)).slice(0, limit);
    print(json, newest, (events) => (events.length === 0 ? 'There is no such event.' : table(['COMMITTED', 'N', 'STATE', 'TYPE', 'KEY', 'EVENT'], events.map(row))));
    warnOfSilent(silent);
  });
}

function row({ committedAt, n, state, type, key, event }: OutboxEntry): string[] {
  return [shortTime(committedAt), n === null ? '' : String(n), state, type, key, event];
}
