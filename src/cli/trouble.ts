import { readFileSync } from 'node:fs';
import type { TroubleEntry } from '@nestbox/messaging';
import { facts, plural, print, shortTime, warnOfSilent, WrongArgument } from './output.js';
import { withOperator } from './with-operator.js';

/** How much of an error's message fits into a line. */
const MESSAGE_WIDTH = 80;

export interface TargetOptions {
  readonly reader?: string;
  readonly handler?: string;
  readonly key?: string;
  readonly event?: string;
  readonly json: boolean;
}

export interface RequestOptions extends TargetOptions {
  readonly all: boolean;
  readonly withWaiting?: boolean;
}

export interface EditOptions extends TargetOptions {
  readonly context?: string;
  readonly payload?: string;
  readonly file?: string;
  readonly original: boolean;
  readonly schemaVersion?: number;
}

/** `trouble list [context]`: the first event of every blocked key, and what waits behind it. */
export async function list(context: string | undefined, { json, ...target }: TargetOptions): Promise<void> {
  await withOperator(async ({ operator }) => {
    const { items, silent } = await operator.trouble(target, context);
    const nothing = silent.length === 0 ? 'No event is in trouble.' : 'No event is in trouble as far as was answered.';
    print(json, items, (entries) => (entries.length === 0 ? nothing : entries.map(describe).join('\n\n')));
    warnOfSilent(silent);
  });
}

/** `trouble replay|skip …`: asks the owners of the lanes to do it, in order; safe to say twice. */
export async function ask(request: 'replay' | 'skip', context: string | undefined, { all, withWaiting = false, json, ...target }: RequestOptions): Promise<void> {
  const narrowed = context !== undefined || Object.values(target).some((value) => value !== undefined);
  if (!narrowed && !all) throw new WrongArgument(`What is to be ${request === 'skip' ? 'skipped' : 'replayed'}?`, 'Name a context, --reader, --handler, --key or --event; or say --all.');
  if (narrowed && all) throw new WrongArgument('--all means everything that is in trouble.', 'Leave it out, or the rest.');
  await withOperator(async ({ operator }) => {
    const { asked, silent } = await operator.request({ ...target, request, withWaiting }, context);
    print(json, { asked }, () => `Asked to ${request} ${plural(asked, 'event')}. The services that run the handlers do it, in order; \`trouble list\` shows what is left.`);
    warnOfSilent(silent);
  });
}

/** `trouble edit <event>`: replays an event with another payload. */
export async function edit(event: string, { context, handler, payload, file, original, schemaVersion, json }: EditOptions): Promise<void> {
  const fields = original && payload === undefined && file === undefined ? undefined : readPayload(payload, file, original);
  const target = { event, ...(handler && { handler }) };
  await withOperator(async ({ operator }) => {
    const { asked, silent } = await (fields ? operator.edit({ ...target, payload: fields, ...(schemaVersion && { schemaVersion }) }, context) : operator.restore(target, context));
    print(json, { asked }, () => `Event ${event} is handled with this payload by ${plural(asked, 'handler')}, as soon as it is the first of its key.`);
    warnOfSilent(silent);
  });
}

function readPayload(payload: string | undefined, file: string | undefined, original: boolean): Record<string, unknown> {
  if (original || (payload === undefined) === (file === undefined)) throw new WrongArgument('The new payload is missing, or there are two.', "Give it as --payload '{…}', --file <path> or --original.");
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload ?? readFileSync(file!, 'utf8'));
  } catch (error) {
    throw new WrongArgument(`The payload cannot be read: ${(error as Error).message}.`, 'It has to be a JSON object with all fields of the event.');
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new WrongArgument('The payload is not a JSON object.', 'It has to have all fields of the event.');
}

function describe(entry: TroubleEntry): string {
  const { reader, handler, key, type, event, state, attempts, since, nextAttemptAt, error, request, edited, waiting, behind } = entry;
  const next = request ? `${request} is asked for` : state === 'throttled' ? 'is handled in turns, because its tenant has many' : nextAttemptAt ? `next attempt ${shortTime(nextAttemptAt)}` : 'waits for a person';
  const follow = behind.map((waits) => `${waits.type} ${waits.event}${waits.request ? ` (${waits.request})` : ''}${waits.edited ? ' (edited)' : ''}`);
  return [
    `${reader} ${handler}  ${key}`,
    facts([
      ['event', `${type} ${event}${edited ? ' (edited)' : ''}`],
      ['state', `${state} after ${plural(attempts, 'attempt')} since ${shortTime(since)}, ${next}`],
      ['error', error ? `${error.name ? `${error.name}: ` : ''}${error.message.split('\n', 1)[0]!.slice(0, MESSAGE_WIDTH)}` : ''],
      ['behind it', waiting === 0 ? 'nothing' : `${plural(waiting, 'event')}: ${follow.join(', ')}${waiting > behind.length ? ' …' : ''}`],
    ]),
  ].join('\n');
}
