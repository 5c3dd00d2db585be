// The contexts of the process under test, in erasable syntax, so that Node runs them as they are: decorators are
// called as the functions they are. Every effect is a row of a ledger, written by the means that users have.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, EventsHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Aggregate, DomainError, DomainEvent } from '@nestbox/kernel';
import { ContextModule } from '@nestbox/messaging';
import { AggregateNotFound, AggregateStore, type ContextDatabase, databaseToken, DeferredWrites, UnitOfWork } from '@nestbox/persistence';
import { Allow } from 'class-validator';
import { EntitySchema, type QueryRunner } from 'typeorm';

/** How a command goes about its work. */
export type Manner = 'plain' | 'begun' | 'heavy' | 'again' | 'pair' | 'nested' | 'undone' | 'apart' | 'refused' | 'mistaken';

/** Makes the event of a `heavy` command larger than a stream takes that was told to take small ones. */
const BALLAST = 'x'.repeat(5_000);

/** `shop` fills baskets, one step at a time. */
class Basket extends Aggregate {
  steps = 0;
  readonly id: string;
  constructor(id: string) {
    super();
    this.id = id;
  }
  fill(times: number, ballast?: string): number {
    for (let i = 0; i < times; i++) this.raise(new Filled(this.id, ++this.steps, ballast));
    return this.steps;
  }
}

class Filled extends DomainEvent {
  static readonly type = 'shop.filled';
  readonly basket: string;
  readonly step: number;
  readonly ballast: string | undefined;
  constructor(basket: string, step: number, ballast?: string) {
    super();
    this.basket = basket;
    this.step = step;
    this.ballast = ballast;
  }
}

const BasketSchema = new EntitySchema<Basket>({
  name: 'Basket', target: Basket, tableName: 'basket', schema: 'shop',
  columns: { id: { type: 'text', primary: true }, steps: { type: 'int' }, version: { type: 'int' } },
});

class Baskets {
  readonly db: ContextDatabase;
  readonly store: AggregateStore<Basket>;
  constructor(db: ContextDatabase) {
    this.db = db;
    this.store = new AggregateStore(db, BasketSchema, { type: 'shop.basket' });
  }
  async fill(id: string, times: number, ballast?: string): Promise<number> {
    const basket = await this.store.findOrAdd(id, () => new Basket(id));
    return basket.fill(times, ballast);
  }
}
Inject(databaseToken('shop'))(Baskets, undefined, 0);

/** Fills a basket; answers with its steps. */
export class Fill extends Command<number> {
  static readonly type = 'shop.fill';
  readonly basket: string;
  readonly times: number;
  readonly manner: Manner;
  constructor(basket: string, times: number, manner: Manner) {
    super();
    this.basket = basket;
    this.times = times;
    this.manner = manner;
  }
}
for (const field of ['basket', 'times', 'manner']) Allow()(Fill.prototype, field);

class FillHandler {
  readonly baskets: Baskets;
  constructor(baskets: Baskets) {
    this.baskets = baskets;
  }
  async execute({ basket, times, manner }: Fill): Promise<number> {
    const { baskets } = this;
    const inner = (propagation: 'nested' | 'requires-new', fails: boolean) =>
      UnitOfWork.run(baskets.db, async () => {
        await baskets.fill(`${basket}-${propagation}`, 1);
        if (fails) throw new Error('undone');
      }, { propagation });
    // Whoever asks the entity manager has a transaction that begins before the commit.
    if (manner === 'begun') await baskets.db.manager.query('select 1');
    const steps = await baskets.fill(basket, times, manner === 'heavy' ? BALLAST : undefined);
    if (manner === 'refused') throw new DomainError({ kind: 'conflict', code: 'shop.refused' }, 'The command asked to be refused.');
    if (manner === 'mistaken') throw new TypeError('The command asked for a mistake.');
    if (manner === 'again') return baskets.store.update(basket, (known) => known.fill(1));
    if (manner === 'pair') await baskets.fill(`${basket}-pair`, 1);
    if (manner === 'nested') await inner('nested', false);
    if (manner === 'undone') await inner('nested', true).catch(() => undefined);
    if (manner === 'apart') await inner('requires-new', false);
    return steps;
  }
}
CommandHandler(Fill)(FillHandler);
Inject(Baskets)(FillHandler, undefined, 0);

/** How many steps a basket has. */
export class GetSteps extends Query<number> {
  static readonly type = 'shop.get-steps';
  readonly basket: string;
  constructor(basket: string) {
    super();
    this.basket = basket;
  }
}
Allow()(GetSteps.prototype, 'basket');

class GetStepsHandler {
  readonly baskets: Baskets;
  constructor(baskets: Baskets) {
    this.baskets = baskets;
  }
  async execute(query: GetSteps): Promise<number> {
    const { store, db } = this.baskets;
    const { steps } = await store.read(query.basket).catch((error: unknown) => {
      if (error instanceof AggregateNotFound) return { steps: 0 };
      throw error;
    });
    return (await db.manager.findOneBy(BasketSchema, { id: query.basket }))?.steps ?? steps;
  }
}
QueryHandler(GetSteps)(GetStepsHandler);
Inject(Baskets)(GetStepsHandler, undefined, 0);

/** `desk` notes what it sees in the shop, and says so: its events are raised in the transaction of a batch. */
class Note extends Aggregate {
  steps = 0;
  readonly id: string;
  constructor(id: string) {
    super();
    this.id = id;
  }
  write(): void {
    this.raise(new Noted(this.id, ++this.steps));
  }
}

class Noted extends DomainEvent {
  static readonly type = 'desk.noted';
  readonly basket: string;
  readonly step: number;
  constructor(basket: string, step: number) {
    super();
    this.basket = basket;
    this.step = step;
  }
}

const NoteSchema = new EntitySchema<Note>({
  name: 'Note', target: Note, tableName: 'note', schema: 'desk',
  columns: { id: { type: 'text', primary: true }, steps: { type: 'int' }, version: { type: 'int' } },
});

class Notes {
  readonly db: ContextDatabase;
  readonly store: AggregateStore<Note>;
  readonly ledger: DeferredWrites<Filled>;
  constructor(db: ContextDatabase) {
    this.db = db;
    this.store = new AggregateStore(db, NoteSchema, { type: 'desk.note' });
    this.ledger = new DeferredWrites(db, 'desk.ledger', (events) => [intoLedger('desk', 'shop', events)]);
  }
}
Inject(databaseToken('desk'))(Notes, undefined, 0);

/** Longer than a handler may block the event loop. */
const BLOCKED_MS = 13_000;

class NoteWhenFilled {
  readonly notes: Notes;
  constructor(notes: Notes) {
    this.notes = notes;
  }
  async handle(event: Filled): Promise<void> {
    // A supervisor breaks and repairs handlers from outside; a broken one may also take the process with it, or block it.
    const [broken] = await this.notes.db.manager.query<{ how: string }[]>('select how from desk.broken where basket = $1', [event.basket]);
    if (broken?.how === 'kills') process.kill(process.pid, 'SIGKILL');
    if (broken?.how === 'blocks') for (const end = Date.now() + BLOCKED_MS; Date.now() < end; );
    if (broken) throw new Error(`The note of ${event.basket} is broken.`);
    const note = await this.notes.store.findOrAdd(event.basket, () => new Note(event.basket));
    note.write();
    this.notes.ledger.push(event);
  }
}
EventsHandler(Filled)(NoteWhenFilled);
Inject(Notes)(NoteWhenFilled, undefined, 0);

/** `audit` follows both, once as a context and once as a projection. */
class Audit {
  readonly shop: DeferredWrites<Filled>;
  readonly desk: DeferredWrites<Noted>;
  readonly totals: DeferredWrites<Filled>;
  constructor(db: ContextDatabase) {
    this.shop = new DeferredWrites(db, 'audit.shop', (events) => [intoLedger('audit', 'shop', events)]);
    this.desk = new DeferredWrites(db, 'audit.desk', (events) => [intoLedger('audit', 'desk', events)]);
    this.totals = new DeferredWrites(db, 'audit.totals', (events) => [intoLedger('audit', 'totals', events)]);
  }
}
Inject(databaseToken('audit'))(Audit, undefined, 0);

class AuditShop {
  readonly audit: Audit;
  constructor(audit: Audit) {
    this.audit = audit;
  }
  handle(event: Filled): void {
    this.audit.shop.push(event);
  }
}
EventsHandler(Filled)(AuditShop);
Inject(Audit)(AuditShop, undefined, 0);

class AuditDesk {
  readonly audit: Audit;
  constructor(audit: Audit) {
    this.audit = audit;
  }
  handle(event: Noted): void {
    this.audit.desk.push(event);
  }
}
EventsHandler(Noted)(AuditDesk);
Inject(Audit)(AuditDesk, undefined, 0);

class CountTotals {
  readonly audit: Audit;
  constructor(audit: Audit) {
    this.audit = audit;
  }
  handle(event: Filled): void {
    this.audit.totals.push(event);
  }
}
EventsHandler(Filled)(CountTotals);
Inject(Audit)(CountTotals, undefined, 0);

/** Each effect is one row; `seq` keeps the order in which they were written. */
function intoLedger(schema: string, table: string, events: readonly (Filled | Noted)[]) {
  return {
    text: `insert into ${schema}.${table} (basket, step) select b, s from unnest($1::text[], $2::int[]) with ordinality e(b, s, i) order by i`,
    values: [events.map((event) => event.basket), events.map((event) => event.step)],
  };
}

function creates(name: string, tables: readonly (readonly [name: string, columns: string])[]) {
  return class {
    readonly name = `${name}1767225600002`;
    async up(runner: QueryRunner): Promise<void> {
      for (const [table, columns] of tables) await runner.query(`create table ${table} (${columns})`);
    }
    async down(runner: QueryRunner): Promise<void> {
      for (const [table] of tables) await runner.query(`drop table ${table}`);
    }
  };
}

const LEDGER = 'seq bigserial primary key, basket text not null, step int not null';
const AGGREGATE = 'id text primary key, steps int not null, version int not null';

export const TOTALS = { name: 'totals', tables: ['totals'], subscribers: [CountTotals] };

export class ShopModule {}
ContextModule({
  name: 'shop', entities: [BasketSchema], migrations: [creates('CreateBasket', [['shop.basket', AGGREGATE]])],
  repositories: [Baskets], commands: [FillHandler], queries: [GetStepsHandler], publishes: [Filled],
})(ShopModule);

export class DeskModule {}
ContextModule({
  name: 'desk', entities: [NoteSchema],
  migrations: [creates('CreateNote', [['desk.note', AGGREGATE], ['desk.shop', LEDGER], ['desk.broken', 'basket text primary key, how text not null']])],
  repositories: [Notes], subscribers: [NoteWhenFilled], publishes: [Noted],
})(DeskModule);

export class AuditModule {}
ContextModule({
  name: 'audit', migrations: [creates('CreateAudit', [['audit.shop', LEDGER], ['audit.desk', LEDGER], ['audit.totals', LEDGER]])],
  repositories: [Audit], subscribers: [AuditShop, AuditDesk], projections: [TOTALS],
})(AuditModule);

/** Publishes what belongs to another context, which stops the start. */
export class MisdeclaredModule {}
ContextModule({ name: 'mistaken', publishes: [Filled] })(MisdeclaredModule);
