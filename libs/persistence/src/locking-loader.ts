import type { ClientBase } from 'pg';
import type { Aggregate } from '@nestbox/kernel';
import type { AggregateStore } from './aggregate-store.js';
import { nameOf, type RowKey } from './row-key.js';
import { inOneWrite } from './statement.js';

type AnyStore = AggregateStore<Aggregate>;
type Row = Record<string, unknown>;

interface Wish {
  readonly keys: readonly RowKey[];
  resolve(rows: Row[]): void;
  reject(error: unknown): void;
}

/**
 * Collects what the handlers of a batch ask for and loads it with one statement per table, tables in their order and
 * rows in key order whatever their tenants, locked. Batches that run in parallel on the same rows then wait for each other and never deadlock.
 * Source of the collecting: Facebook's DataLoader (all requests of one turn of the event loop form one batch).
 */
export class LockingLoader {
  private wishes = new Map<AnyStore, Wish[]>();

  constructor(private readonly client: ClientBase) {}

  load(store: AnyStore, keys: readonly RowKey[]): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      // After the promises that are already resolved, so that handlers that awaited something short still join.
      if (this.wishes.size === 0) setImmediate(() => void this.dispatch());
      const wish = { keys, resolve, reject };
      const wishes = this.wishes.get(store);
      if (wishes) wishes.push(wish);
      else this.wishes.set(store, [wish]);
    });
  }

  private async dispatch(): Promise<void> {
    const wishes = [...this.wishes].sort(([left], [right]) => left.order - right.order);
    this.wishes = new Map();
    // Sent together: on one connection the statements run in this order.
    await Promise.all(inOneWrite(this.client, () => wishes.map(([store, wanted]) => this.select(store, wanted))));
  }

  private async select(store: AnyStore, wanted: readonly Wish[]): Promise<void> {
    try {
      const { text, values } = store.table.selectAndLock(wanted.flatMap(({ keys }) => keys));
      const { rows } = await this.client.query<Row>(text, values as unknown[]);
      const byName = new Map<string, Row>(rows.map((row) => [nameOf(store.table.keyOfRow(row)), row]));
      for (const wish of wanted) wish.resolve(wish.keys.map((key) => byName.get(nameOf(key))).filter((row) => row !== undefined));
    } catch (error) {
      for (const wish of wanted) wish.reject(error);
    }
  }
}
