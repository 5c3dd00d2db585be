import type { ReaderReport, ReaderTarget } from '@nestbox/messaging';
import { plural, print, shortTime, table, warnOfSilent, WrongArgument } from './output.js';
import { withOperator } from './with-operator.js';

export interface MoveOptions {
  readonly source?: string;
  readonly repeatEffects: boolean;
  readonly leaveOut: boolean;
  readonly discardTrouble: boolean;
  readonly json: boolean;
}

/** `reader list [context]`: who reads what, where it stands, and what is behind that. */
export async function list(context: string | undefined, { json, lanes }: { json: boolean; lanes: boolean }): Promise<void> {
  await withOperator(async ({ operator }) => {
    const { items, silent } = await operator.readers(context);
    print(json, items, (readers) => (lanes ? laneTable(readers) : readerTable(readers)));
    warnOfSilent(silent);
  });
}

/** `reader reset <reader> --to start|now` */
export function reset(reader: string, { to, ...options }: MoveOptions & { to: string }): Promise<void> {
  if (to !== 'start' && to !== 'now') throw new WrongArgument(`--to is "${to}".`, 'Use start or now; `reader rewind` goes to a number or a time.');
  return move({ reader, from: to }, options);
}

/** `reader rewind <reader> --from <n> | --since <time>` */
export function rewind(reader: string, { from, since, ...options }: MoveOptions & { from?: number; since?: string }): Promise<void> {
  if ((from === undefined) === (since === undefined)) throw new WrongArgument('Where to?', 'Say --from <number of an event> or --since <time>.');
  return move({ reader, from: from ?? { time: timeOf(since!) } }, options);
}

/** `reader forget <reader>`: for one that will not come back. */
export async function forget(reader: string, { json, ...options }: { json: boolean; context?: string; source?: string }): Promise<void> {
  await withOperator(async ({ operator }) => {
    const lanes = await operator.forget(reader, options);
    print(json, { lanes }, () => `"${reader}" is forgotten, with ${plural(lanes, 'lane')} and what it had in trouble: no events are kept for it any more.`);
  });
}

async function move(target: Pick<ReaderTarget, 'reader' | 'from'>, { json, ...options }: MoveOptions): Promise<void> {
  await withOperator(async ({ operator }) => {
    const moved = await operator.move({ ...target, ...options });
    print(json, moved, ({ lanes, from }) => `"${target.reader}" goes on with event ${from}; ${plural(lanes, 'lane')} set. The services that run it notice by themselves.`);
  }, 'if used');
}

function timeOf(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new WrongArgument(`"${text}" is not a time.`, 'Write it like 2026-01-31T12:00:00Z.');
  return time.toISOString();
}

function readerTable(readers: readonly ReaderReport[]): string {
  const rows = readers.map(({ reader, source, lanes, behind, oldest, blockedKeys, deadKeys, heldBack }) => [
    reader,
    source,
    behind === null ? '?' : String(behind),
    shortTime(oldest),
    [...(blockedKeys > 0 ? [`${plural(blockedKeys, 'key')}, ${deadKeys} dead`] : []), ...(heldBack > 0 ? [`${plural(heldBack, 'event')} held back`] : [])].join('; '),
    [...Map.groupBy(lanes, ({ owner }) => owner ?? 'nobody')].map(([owner, own]) => `${owner} (${plural(own.length, 'lane')})`).join(', '),
  ]);
  return table(['READER', 'READS', 'BEHIND', 'SINCE', 'IN TROUBLE', 'RUN BY'], rows);
}

function laneTable(readers: readonly ReaderReport[]): string {
  const rows = readers.flatMap(({ reader, source, lanes }) =>
    lanes.map(({ lane, n, behind, movedAt, owner }) => [reader, source, String(lane), String(n), behind === null ? '?' : String(behind), shortTime(movedAt), owner ?? 'nobody']),
  );
  return table(['READER', 'READS', 'LANE', 'STANDS AT', 'BEHIND', 'MOVED', 'RUN BY'], rows);
}
