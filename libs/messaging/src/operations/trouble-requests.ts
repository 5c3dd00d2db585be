import { DomainError } from '@nestbox/kernel';
import { operationsErrors } from './errors.js';
import type { OperatedContext } from './operated-context.js';
import type { TroubleTarget } from './trouble-list.js';

/** What a person wants to be done with events in trouble. */
export interface TroubleRequest extends TroubleTarget {
  /** Try the first event of each key again, or leave it out; then what waits behind it follows, in order. */
  readonly request: 'replay' | 'skip';
  /** Leave out what waits behind it, too. Only with `skip`. */
  readonly withWaiting?: boolean;
}

/** Another payload for an event in trouble. */
export interface TroubleEdit extends TroubleTarget {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** When the payload has the shape of another version of the event than it was written in. */
  readonly schemaVersion?: number;
}

/** What an event was refused for by the relay is no reader's work: nobody but a person ends it. */
const RELAY = 'relay';

/**
 * Asks the owners of the lanes to replay or skip; they do it in order. Safe to say twice and while everything works: a
 * row whose attempt is in progress is waited for, and not asked for any more when that has succeeded.
 * @returns for how many events it was asked
 * @throws DomainError `operations.waits-behind-another` for the replay of an event that is not the first of its key,
 *   `operations.too-large-for-the-broker` for the replay of one that the relay could not publish
 */
export async function requestTrouble({ db }: OperatedContext, { request, withWaiting = false, ...target }: TroubleRequest): Promise<number> {
  const table = `"${db.schema}".trouble`;
  const states = request === 'skip' && (withWaiting || target.event !== undefined) ? ['head', 'dead', 'queued'] : ['head', 'dead'];
  const forgotten = request === 'skip' ? await forgetRefused({ db }, target) : 0;
  const { rowCount } = await db.query(
    `with wanted as (${locked(table, 'state = any($5)')})
     update ${table} t set request = $6, asked = t.asked + 1 from wanted w where ${SAME}`,
    [...values(target), states, request],
  );
  const asked = (rowCount ?? 0) + forgotten;
  if (asked === 0 && request === 'replay') await explainRefusedReplay({ db }, target);
  return asked;
}

/**
 * Gives an event in trouble another payload. One that is the first of its key is replayed with it; any other one gets
 * its turn. For all handlers that the event waits for, unless one is named. What is only held back has not failed, and stays.
 * @returns for how many handlers it was changed
 */
export async function editTrouble({ db }: OperatedContext, { payload, schemaVersion, ...target }: TroubleEdit): Promise<number> {
  const table = `"${db.schema}".trouble`;
  const { rowCount } = await db.query(
    `with wanted as (${locked(table, "state <> 'throttled'")})
     update ${table} t set asked = t.asked + 1, request = case when t.state in ('head', 'dead') then 'replay' end,
       edited = coalesce(t.edited, t.event) - 'tombstone' || jsonb_strip_nulls(jsonb_build_object('schemaVersion', $6::int)) || jsonb_build_object('payload', $5::jsonb)
     from wanted w where ${SAME}`,
    [...values(target), JSON.stringify(payload), schemaVersion ?? null],
  );
  return rowCount ?? 0;
}

const SAME = 't.reader = w.reader and t.source = w.source and t.handler = w.handler and t.key = w.key and t.n = w.n';

/** Rows are locked in the order in which an owner goes from one to the next, so that the two never wait for each other. */
function locked(table: string, condition: string): string {
  return `select reader, source, handler, key, n from ${table}
    where reader <> '${RELAY}' and ${MATCHES} and ${condition} order by reader, source, handler, key, n for update`;
}

const MATCHES = `($1::text is null or reader = $1) and ($2::text is null or handler = $2) and ($3::text is null or key = $3) and ($4::text is null or event->>'id' = $4)`;

function values({ reader, handler, key, event }: TroubleTarget): unknown[] {
  return [reader ?? null, handler ?? null, key ?? null, event ?? null];
}

async function forgetRefused({ db }: Pick<OperatedContext, 'db'>, target: TroubleTarget): Promise<number> {
  const { rowCount } = await db.query(`delete from "${db.schema}".trouble where reader = '${RELAY}' and ${MATCHES}`, values(target));
  return rowCount ?? 0;
}

async function explainRefusedReplay({ db }: Pick<OperatedContext, 'db'>, target: TroubleTarget): Promise<void> {
  const { rows } = await db.query<{ reader: string; handler: string; key: string; event: string; first: string }>(
    `select reader, handler, key, event->>'id' event,
       (select b.event->>'id' from "${db.schema}".trouble b where b.reader = t.reader and b.source = t.source and b.handler = t.handler and b.key = t.key order by n limit 1) as first
     from "${db.schema}".trouble t where ${MATCHES} and (reader = '${RELAY}' or (state = 'queued' and $4::text is not null)) order by n limit 1`,
    values(target),
  );
  const [row] = rows;
  if (!row) return;
  if (row.reader === RELAY) {
    throw new DomainError(operationsErrors.tooLargeForTheBroker, `The event was too large for NATS, and a tombstone has its place in the stream: there is nothing to replay. Its handlers have the tombstone in trouble: \`trouble edit ${row.event} --original\` gives them the event; then skip this entry.`);
  }
  throw new DomainError(operationsErrors.waitsBehindAnother, `Event ${target.event} waits for ${row.handler} behind event ${row.first} of the same key (${row.key}), and order is kept: replay that one, and this one follows. It can be skipped or edited where it is.`, { first: row.first });
}
