import type { Aggregate } from '@nestbox/kernel';
import type { AggregateStore } from './aggregate-store.js';
import { ConcurrencyConflict } from './errors.js';
import { compareKeys } from './row-key.js';
import { type Statement, sqlState } from './statement.js';

/** An aggregate in a unit of work; `stored` is what the database had when it was loaded or last written. */
export interface Tracked {
  readonly aggregate: Aggregate;
  stored?: { readonly values: unknown[]; readonly version: number };
}

/** One row to insert or update. */
export interface Change {
  /** Fails when somebody else has written the row first. */
  readonly statement: Statement;
  /** Whether the row is new. */
  readonly inserts: boolean;
  /** To be called once the row is written. */
  done(): void;
}

/** What must be written for these aggregates, in key order. */
export function changesOf(store: AggregateStore<Aggregate>, tracked: Iterable<Tracked>): Change[] {
  return [...tracked]
    .sort((left, right) => compareKeys(left.aggregate, right.aggregate))
    .flatMap((entry) => changeOf(store, entry) ?? []);
}

function changeOf(store: AggregateStore<Aggregate>, tracked: Tracked): Change | undefined {
  const { table } = store;
  const { aggregate, stored } = tracked;
  let values = table.values(aggregate);
  if (stored && aggregate.version === stored.version && table.sameState(values, stored.values)) return undefined;
  // A change without an event counts as one version too: the version says "changed", for readers and for writers.
  const version = aggregate.version === (stored?.version ?? 0) ? aggregate.version + 1 : aggregate.version;
  values = table.withVersion(values, version);
  const what = `${store.options.type} "${aggregate.id}"`;
  const explain = (error: unknown) => explainRefusal(store, aggregate, what, error);
  return {
    statement: stored
      ? { text: table.update, values: [...values, stored.version, what], explain }
      : { text: table.insert, values, explain },
    inserts: !stored,
    done: () => {
      aggregate.version = version;
      tracked.stored = { values, version };
    },
  };
}

function explainRefusal(store: AggregateStore<Aggregate>, aggregate: Aggregate, what: string, error: unknown): unknown {
  const state = sqlState(error);
  if (state === 'NB001') return new ConcurrencyConflict(what, { cause: error });
  if (state !== '23505') return error;
  const { constraint } = error as { constraint?: string };
  const meaning = constraint === undefined ? undefined : store.options.unique?.[constraint];
  if (meaning) return meaning(aggregate);
  return constraint === store.table.primaryKeyConstraint ? new ConcurrencyConflict(what, { cause: error }) : error;
}
