import type { EntitySchema, SelectQueryBuilder } from 'typeorm';
import type { Aggregate } from '@nestbox/kernel';
import { CompiledTable } from './compiled-table.js';
import type { ContextDatabase } from './context-database.js';
import { AggregateNotFound, NoUnitOfWork, VersionMismatch } from './errors.js';
import { UnitOfWork } from './unit-of-work.js';

export interface AggregateStoreOptions<A extends Aggregate> {
  /** `<context>.<aggregate>`, stored with every event of it. */
  readonly type: string;
  /** The error for an id that nothing is stored under; default: {@link AggregateNotFound}. */
  readonly notFound?: (id: string) => Error;
  /** Unique constraints by name, and the error that breaking one means. */
  readonly unique?: Readonly<Record<string, (aggregate: A) => Error>>;
}

/**
 * Keeps one kind of aggregate, whole, one row each. A repository has one and says in its own words what can be
 * asked, always about what the current tenant has. Everything it hands out belongs to the open unit of work: the same id
 * is the same object, and what changed is written when the unit of work commits, guarded by the version.
 */
export class AggregateStore<A extends Aggregate> {
  /** Stores are written in this order, so that two units of work never lock each other's rows crosswise. */
  readonly order: number;
  private compiled: CompiledTable<A> | undefined;

  constructor(
    private readonly db: ContextDatabase,
    private readonly schema: EntitySchema<A>,
    readonly options: AggregateStoreOptions<A>,
  ) {
    this.order = db.nextOrder();
  }

  get table(): CompiledTable<A> {
    this.compiled ??= new CompiledTable(this.db.dataSource, this.schema);
    return this.compiled;
  }

  get prototype(): object {
    return (this.schema.options.target as unknown as { prototype: object }).prototype;
  }

  /** Gives a new aggregate to the unit of work, and to the current tenant. */
  add(aggregate: A): void {
    this.unitOfWork('add').track(this as unknown as AggregateStore<Aggregate>, aggregate);
  }

  /** The aggregate with this id, or undefined. */
  async find(id: string): Promise<A | undefined> {
    return (await this.findMany([id])).get(id);
  }

  /** The aggregate with this id. @throws the `notFound` error */
  async get(id: string): Promise<A> {
    const aggregate = await this.find(id);
    if (!aggregate) throw this.notFound(id);
    return aggregate;
  }

  /**
   * The aggregate with this id; a new one from `create` when there is none. Handlers of one batch that ask for the
   * same id at the same time get the same object.
   * @param ifVersion the versions that will do, of which a new one is 0; default: any
   * @throws VersionMismatch
   */
  async findOrAdd(id: string, create: () => A, ifVersion?: readonly number[]): Promise<A> {
    await this.find(id);
    // Looked up again: while this one waited, another handler of the batch may have added it.
    const unitOfWork = this.unitOfWork('load');
    const held = unitOfWork.held(this as unknown as AggregateStore<Aggregate>, id) as A | undefined;
    if (held) return this.required(held, ifVersion);
    const created = this.required(create(), ifVersion);
    this.add(created);
    return created;
  }

  /** For queries: the aggregate as it is stored, in the transaction of the open query if there is one. @throws the `notFound` error */
  async read(id: string): Promise<A> {
    const [row] = await this.db.rows(this.table.selectByIds([id]));
    if (!row) throw this.notFound(id);
    return this.table.hydrate(row, this.prototype);
  }

  /** For lists: a query of what the current tenant has, under an alias. Conditions can only narrow it. */
  select(alias: string): SelectQueryBuilder<A> {
    return this.db.select(this.schema, alias);
  }

  /**
   * The aggregates with these ids, in one query; ids that nothing is stored under are absent. In an event handler
   * the rows are locked in key order together with what the other events of the batch ask for.
   */
  async findMany(ids: readonly string[]): Promise<Map<string, A>> {
    return (await this.unitOfWork('load').load(this as unknown as AggregateStore<Aggregate>, ids)) as Map<string, A>;
  }

  /**
   * Loads the aggregate and lets `decide` change it.
   * @param ifVersion the versions that will do; default: any. A command that lost against another one loads again, and so
   * finds another version: of several that require the same one, one succeeds
   * @throws the `notFound` error, VersionMismatch
   */
  async update<R>(id: string, decide: (aggregate: A) => R, ifVersion?: readonly number[]): Promise<R> {
    return decide(this.required(await this.get(id), ifVersion));
  }

  private required(aggregate: A, ifVersion: readonly number[] | undefined): A {
    const { id, version } = aggregate;
    if (ifVersion && !ifVersion.includes(version)) throw new VersionMismatch(`${this.options.type} "${id}"`, version);
    return aggregate;
  }

  private notFound(id: string): Error {
    const { notFound, type } = this.options;
    return notFound?.(id) ?? new AggregateNotFound(type, id);
  }

  private unitOfWork(what: string): UnitOfWork {
    const unitOfWork = UnitOfWork.of(this.db, this.options.type);
    if (!unitOfWork) throw new NoUnitOfWork(`To ${what} ${this.options.type}`);
    return unitOfWork;
  }
}
