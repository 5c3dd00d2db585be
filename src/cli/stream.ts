import type { StreamReport } from '@nestbox/messaging';
import { print, table, warnOfSilent } from './output.js';
import { withOperator } from './with-operator.js';

/** `stream status [context]`: the streams beside the logs that they are filled from. */
export async function status(context: string | undefined, { json }: { json: boolean }): Promise<void> {
  await withOperator(async ({ operator }) => {
    const { items, silent } = await operator.streamStates(context);
    print(json, items, (streams) => table(['STREAM', 'FIRST', 'LAST', 'LOG', 'BEHIND', 'MESSAGES', 'STATE'], streams.map(row)));
    warnOfSilent(silent);
  }, 'always');
}

function row(stream: StreamReport): string[] {
  const { stream: name, first, last, head, behind, messages } = stream;
  return [name, String(first), String(last), String(head), String(behind), String(messages), stateOf(stream)];
}

/** Nobody needs to fill a stream again: this says what its relay does, or why nothing happens. */
function stateOf({ created, last, head, behind, relay }: StreamReport): string {
  if (last > head) return 'is ahead of the log: it was filled from another database';
  if (behind === 0) return created === null ? 'not there, and not needed yet' : 'complete';
  if (relay === null) return 'waits: no service runs its relay, or events do not travel through NATS';
  return created === null ? `is declared and filled from the outbox by ${relay}` : `is filled from the outbox by ${relay}`;
}
