import { AsyncLocalStorage } from 'node:async_hooks';
import { type Aggregate, beforeAbort, currentMessage, DeadlineExceeded, type DomainEvent, type EventRecorder, UsageError, uuidv7, withRecorder } from '@nestbox/kernel';
import type { AggregateStore } from './aggregate-store.js';
import { type Change, changesOf, type Tracked } from './change-set.js';
import { commit, commitTogether } from './commit.js';
import type { ContextDatabase } from './context-database.js';
import type { DeferredWrites } from './deferred-writes.js';
import { AnotherTenant, ForeignUnitOfWork, UnitOfWorkEnded } from './errors.js';
import { LockingLoader } from './locking-loader.js';
import type { RecordedEvent } from './outbox-writer.js';
import { nameOf, type RowKey } from './row-key.js';
import { sqlState, type Statement } from './statement.js';
import type { Transaction } from './transaction.js';
import { writeBatch } from './write-batch.js';

const units = new AsyncLocalStorage<UnitOfWork>();

/**
 * - `required`: join the open unit of work, or open one (the default)
 * - `requires-new`: a transaction of its own, committed whatever becomes of the outer one
 * - `nested`: a savepoint; a failure inside undoes only what was done inside
 */
export type Propagation = 'required' | 'requires-new' | 'nested';

export interface UnitOfWorkOptions {
  /** What to do when another unit of work is open already. */
  readonly propagation?: Propagation;
  /** Begins the transaction at once and locks each row as it is loaded: slower, but whoever else wants it waits. */
  readonly locking?: boolean;
  /** What else is written in the transaction, once the result of the work is known. */
  readonly also?: ((result: unknown) => readonly Statement[]) | undefined;
  /** When it aborts before the commit has begun, nothing is stored. Default: that of the open unit of work. */
  readonly signal?: AbortSignal | undefined;
}

type AnyStore = AggregateStore<Aggregate>;
type RaisedEvent = Omit<RecordedEvent, 'aggregateType'>;

/** Nested units of work in one transaction beyond which Postgres' subtransaction cache overflows too easily. */
const NESTED_LIMIT = 32;

/**
 * The transaction around one command, or around one batch of events. It belongs to one context. Aggregates are read
 * without a transaction and written at the end in one round trip, guarded by their versions, their events last.
 */
export class UnitOfWork implements EventRecorder {
  /** By the names of their keys: a batch works for several tenants, which may use the same id. */
  private readonly stores = new Map<AnyStore, Map<string, Tracked>>();
  private readonly deferred = new Map<DeferredWrites<unknown>, { readonly items: unknown[]; readonly tenantIds: string[] }>();
  private raised: RaisedEvent[] = [];
  private recorded: RecordedEvent[] = [];
  private loader: LockingLoader | undefined;
  private nestedCount = 0;
  /** The open transaction can only be rolled back, because of this. */
  private broken: { readonly reason: unknown } | undefined;
  private ended = false;

  private constructor(readonly db: ContextDatabase, private transaction?: Transaction, private readonly signal?: AbortSignal, private readonly outer?: UnitOfWork) {}

  /** The open unit of work, whichever context's. */
  static current(): UnitOfWork | undefined {
    const unit = units.getStore();
    return unit && !unit.ended ? unit : undefined;
  }

  /** Whether who asks is inside an open transaction, whichever unit of work's: others may wait for its locks until it goes on. */
  static get insideTransaction(): boolean {
    for (let unit = units.getStore(); unit; unit = unit.outer) if (unit.begun && !unit.ended) return true;
    return false;
  }

  /**
   * The open unit of work of this database's context.
   * @throws ForeignUnitOfWork when the open one is another context's; UnitOfWorkEnded when it is over
   */
  static of(db: ContextDatabase, what: string): UnitOfWork | undefined {
    const unit = units.getStore();
    if (!unit) return undefined;
    if (unit.db.context !== db.context) throw new ForeignUnitOfWork(db.context, unit.db.context, what);
    if (unit.ended) throw new UnitOfWorkEnded(db.context, `${what} was used`);
    return unit;
  }

  /**
   * Runs `work` in a unit of work and commits it; when `work` throws, nothing is stored.
   * @throws DeadlineExceeded when its signal aborts before the commit
   * @throws ConcurrencyConflict when somebody else changed one of the aggregates first
   * @throws DatabaseUnavailable when the database cannot be worked with; nothing is stored then
   * @throws OutcomeUnknown when the connection broke during the commit and the result could not be found out
   */
  static async run<T>(db: ContextDatabase, work: () => Promise<T>, options: UnitOfWorkOptions = {}): Promise<T> {
    const outer = UnitOfWork.current();
    if (outer && outer.db.context !== db.context) throw new ForeignUnitOfWork(db.context, outer.db.context, 'This work');
    if (outer && options.propagation === 'nested') return outer.nest(work);
    if (outer && options.propagation !== 'requires-new') return work();
    // Of one that has ended, too: what is late begins nothing new.
    const { signal = units.getStore()?.signal } = options;
    const unit = new UnitOfWork(db, options.locking ? await beginLocking(db) : undefined, signal, outer);
    try {
      const result = await beforeAbort(() => unit.scope(work), signal);
      if (signal?.aborted) throw new DeadlineExceeded();
      await unit.commit(options.also?.(result));
      return result;
    } catch (error) {
      if (error instanceof DeadlineExceeded) unit.abandon(error);
      // Without an SQLSTATE it may be anybody's connection that broke.
      throw sqlState(error) ? db.explained(error) : error;
    } finally {
      await unit.end();
    }
  }

  /** A unit of work inside a transaction that the caller has opened: rows are locked as they are loaded. For the messaging engine. */
  static within(db: ContextDatabase, transaction: Transaction): UnitOfWork {
    return new UnitOfWork(db, transaction);
  }

  /** Runs `work` with this as the current unit of work. */
  scope<T>(work: () => Promise<T>): Promise<T> {
    return units.run(this, () => withRecorder(this, work));
  }

  record(aggregate: Aggregate, event: DomainEvent, aggregateVersion: number): boolean {
    if (this.ended) throw new UnitOfWorkEnded(this.db.context, `${aggregate.constructor.name} raised ${event.constructor.name}`);
    AnotherTenant.refuse(aggregate, `${event.constructor.name} was raised`);
    if (this.raised.some((known) => known.event === event) || this.recorded.some((known) => known.event === event)) return false;
    this.raised.push({ id: uuidv7(), event, aggregate, aggregateVersion, cause: currentMessage() });
    return true;
  }

  track(store: AnyStore, aggregate: Aggregate): void {
    store.table.claim(aggregate);
    const known = this.identities(store);
    const name = nameOf(aggregate);
    const before = known.get(name);
    if (before && before.aggregate !== aggregate) {
      throw new UsageError(`${store.options.type} "${aggregate.id}" was added, but this unit of work already has another object with that id.`, 'change the loaded object instead of adding a second one.');
    }
    if (!before) known.set(name, { aggregate });
  }

  async load(store: AnyStore, ids: readonly string[]): Promise<Map<string, Aggregate>> {
    const known = this.identities(store);
    const keys = ids.map((id) => store.table.keyOf(id));
    const missing = keys.filter((key) => !known.has(nameOf(key)));
    if (missing.length > 0) {
      if (this.transaction) this.loader ??= new LockingLoader(this.transaction.client);
      const rows = this.loader ? await this.loader.load(store, missing) : await this.select(store, missing);
      for (const row of rows) this.adopt(store, known, row);
    }
    return new Map(keys.flatMap((key) => (known.has(nameOf(key)) ? [[key.id, known.get(nameOf(key))!.aggregate]] : [])));
  }

  /** The object with this id, if this unit of work has it already. */
  held(store: AnyStore, id: string): Aggregate | undefined {
    return this.stores.get(store)?.get(nameOf(store.table.keyOf(id)))?.aggregate;
  }

  defer(writes: DeferredWrites<unknown>, item: unknown, tenantId: string): void {
    let collected = this.deferred.get(writes);
    if (!collected) this.deferred.set(writes, (collected = { items: [], tenantIds: [] }));
    collected.items.push(item);
    collected.tenantIds.push(tenantId);
  }

  /** The events raised so far, in order. */
  get events(): readonly DomainEvent[] {
    return [...this.recorded, ...this.raised].map((recorded) => recorded.event);
  }

  /** TypeORM's manager for reads: on the open transaction if there is one. */
  get manager() {
    return this.transaction?.manager ?? this.db.dataSource.manager;
  }

  /** Whether it has a transaction already, which then sees what was written in it. */
  get begun(): boolean {
    return this.transaction !== undefined;
  }

  /** Writes everything and commits; `also` is written in the same transaction, before the events. */
  async commit(also: readonly Statement[] = []): Promise<void> {
    // Whoever caught it inside cannot make it undone, and Postgres would only say that the transaction is aborted.
    if (this.broken) throw this.broken.reason;
    const changes = this.changes();
    const writes = [...this.deferredStatements(), ...also];
    this.settleEvents();
    const { db, recorded: events, transaction } = this;
    if (transaction) await commitTogether(db, transaction, { changes, writes, events });
    else if (changes.length + writes.length > 0) await commit(db, { changes, writes, events });
    this.ended = true;
    if (events.length > 0) db.outbox?.committed();
  }

  /** Ends it; what was not committed is undone. */
  async end(): Promise<void> {
    this.ended = true;
    await this.transaction?.rollback();
  }

  /** Ends it while its work may still go on, which may still use the connection: nobody else gets it, and the server undoes what was done. */
  private abandon(reason: Error): void {
    this.ended = true;
    this.transaction?.finish(reason);
  }

  private async nest<T>(work: () => Promise<T>): Promise<T> {
    this.transaction ??= await this.db.begin();
    if (this.ended) {
      const late = new UnitOfWorkEnded(this.db.context, 'a nested one was opened');
      this.abandon(late);
      throw late;
    }
    const { client } = this.transaction;
    await this.transaction.begun;
    await this.flush();
    this.nestedCount += 1;
    if (this.nestedCount === NESTED_LIMIT) this.db.warn(`${NESTED_LIMIT} nested units of work in one transaction: more make Postgres slow for everybody. Use fewer, larger ones.`);
    const savepoint = `nested_${this.nestedCount}`;
    await client.query(`savepoint ${savepoint}`);
    const inner = new UnitOfWork(this.db, this.transaction);
    try {
      const result = await inner.scope(work);
      await inner.flush();
      await client.query(`release savepoint ${savepoint}`);
      this.recorded.push(...inner.recorded);
      this.forget(inner);
      return result;
    } catch (error) {
      await client.query(`rollback to savepoint ${savepoint}`);
      throw error;
    } finally {
      inner.ended = true;
    }
  }

  /** Writes the changes so far into the open transaction; the events wait for the commit. */
  private async flush(): Promise<void> {
    const changes = this.changes();
    const writes = this.deferredStatements();
    this.settleEvents();
    try {
      await writeBatch(this.transaction!.client, [...changes.map((change) => change.statement), ...writes]);
    } catch (reason) {
      this.broken = { reason };
      throw reason;
    }
    for (const change of changes) change.done();
    this.deferred.clear();
  }

  private changes(): Change[] {
    return [...this.stores].sort(([left], [right]) => left.order - right.order).flatMap(([store, known]) => changesOf(store, known.values()));
  }

  private deferredStatements(): Statement[] {
    return [...this.deferred].sort(([left], [right]) => left.order - right.order).flatMap(([writes, { items, tenantIds }]) => writes.compile(items, tenantIds));
  }

  /** Names the aggregate type of each raised event, which only the store knows that the aggregate was given to. */
  private settleEvents(): void {
    for (const raised of this.raised) {
      const store = [...this.stores].find(([, known]) => known.get(nameOf(raised.aggregate))?.aggregate === raised.aggregate)?.[0];
      if (!store) {
        throw new UsageError(`${raised.aggregate.constructor.name} "${raised.aggregate.id}" raised ${raised.event.constructor.name}, but no repository was given it.`, 'call repository.add(aggregate) for a new aggregate; a loaded one is known already.');
      }
      this.recorded.push({ ...raised, aggregateType: store.options.type });
    }
    this.raised = [];
  }

  /** Rows of the current tenant, not locked. */
  private select(store: AnyStore, keys: readonly RowKey[]): Promise<Record<string, unknown>[]> {
    return this.db.rows(store.table.selectByIds(keys.map(({ id }) => id)));
  }

  private adopt(store: AnyStore, known: Map<string, Tracked>, row: Record<string, unknown>): void {
    const aggregate = store.table.hydrate(row, store.prototype);
    const name = nameOf(aggregate);
    // Another load of the same id may have come first; its object is the one that others hold.
    if (!known.has(name)) known.set(name, { aggregate, stored: { values: store.table.values(aggregate), version: aggregate.version } });
  }

  /** Drops what an inner unit of work has changed, so that it is loaded again. */
  private forget(inner: UnitOfWork): void {
    for (const [store, known] of inner.stores) for (const name of known.keys()) this.stores.get(store)?.delete(name);
  }

  private identities(store: AnyStore): Map<string, Tracked> {
    let known = this.stores.get(store);
    if (!known) this.stores.set(store, (known = new Map()));
    return known;
  }
}

/** Under a name of its own: a crash point is known by it. */
function beginLocking(db: ContextDatabase): Promise<Transaction> {
  return db.begin();
}
