// Two contexts in erasable syntax, so that Node runs them as they are in processes of their own: decorators are called
// as the functions they are. `meter` raises readings, `ledger` books them, and does on the way what a reading asks for.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, EventsHandler } from '@nestjs/cqrs';
import { Aggregate, DomainEvent } from '@nestbox/kernel';
import { ContextModule } from '@nestbox/messaging';
import { AggregateStore, type ContextDatabase, databaseToken, DeferredWrites } from '@nestbox/persistence';
import { EntitySchema, type QueryRunner } from 'typeorm';

/** What the handler does before it books a reading: nothing, or something that it should not do. */
export type Deed = 'book' | 'throw' | 'dial' | 'exit' | 'kill' | `block ${number}` | `wait ${number}`;

class Meter extends Aggregate {
  value = 0;
  readonly id: string;
  constructor(id: string) {
    super();
    this.id = id;
  }
  read(times: number, deed: Deed): void {
    for (let i = 0; i < times; i++) this.raise(new ReadingTaken(this.id, ++this.value, deed));
  }
}

export class ReadingTaken extends DomainEvent {
  static readonly type = 'meter.reading-taken';
  readonly meter: string;
  readonly value: number;
  readonly deed: Deed;
  constructor(meter: string, value: number, deed: Deed) {
    super();
    this.meter = meter;
    this.value = value;
    this.deed = deed;
  }
  static revive({ meter, value, deed }: Readonly<Record<string, unknown>>): ReadingTaken {
    if (typeof value !== 'number') throw new TypeError(`value is ${JSON.stringify(value)}, not a number`);
    return Object.assign(Object.create(ReadingTaken.prototype) as ReadingTaken, { meter, value, deed });
  }
}

const MeterSchema = new EntitySchema<Meter>({
  name: 'Meter', target: Meter, tableName: 'meter', schema: 'meter',
  columns: { id: { type: 'text', primary: true }, value: { type: 'int' }, version: { type: 'int' } },
});

class Meters {
  readonly store: AggregateStore<Meter>;
  constructor(db: ContextDatabase) {
    this.store = new AggregateStore(db, MeterSchema, { type: 'meter.meter' });
  }
}
Inject(databaseToken('meter'))(Meters, undefined, 0);

/** Takes readings of a meter, the first ones and all later ones alike. */
export class Read extends Command<void> {
  static readonly type = 'meter.read';
  readonly meter: string;
  readonly times: number;
  readonly deed: Deed;
  constructor(meter: string, times = 1, deed: Deed = 'book') {
    super();
    this.meter = meter;
    this.times = times;
    this.deed = deed;
  }
}

class ReadHandler {
  readonly meters: Meters;
  constructor(meters: Meters) {
    this.meters = meters;
  }
  async execute({ meter, times, deed }: Read): Promise<void> {
    (await this.meters.store.findOrAdd(meter, () => new Meter(meter))).read(times, deed);
  }
}
CommandHandler(Read)(ReadHandler);
Inject(Meters)(ReadHandler, undefined, 0);

class CreateMeter1 {
  readonly name = 'CreateMeter1767225600001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table meter.meter (id text primary key, value int not null, version int not null)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table meter.meter');
  }
}

/** How long the handler works on every reading besides, in ms of its database; a test sets it. */
export const work = { ms: 0 };

class Bookings {
  readonly db: ContextDatabase;
  readonly writes: DeferredWrites<ReadingTaken>;
  constructor(db: ContextDatabase) {
    this.db = db;
    this.writes = new DeferredWrites(db, 'ledger.booking', (events) => [
      {
        text: 'insert into ledger.booking (meter, value) select * from unnest($1::text[], $2::int[])',
        values: [events.map(({ meter }) => meter), events.map(({ value }) => value)],
      },
    ]);
  }
}
Inject(databaseToken('ledger'))(Bookings, undefined, 0);

export class BookReading {
  readonly bookings: Bookings;
  constructor(bookings: Bookings) {
    this.bookings = bookings;
  }
  async handle(event: ReadingTaken): Promise<void> {
    await misbehave(event);
    if (work.ms > 0) await this.bookings.db.manager.query('select pg_sleep($1)', [work.ms / 1000]);
    this.bookings.writes.push(event);
  }
}
EventsHandler(ReadingTaken)(BookReading);
Inject(Bookings)(BookReading, undefined, 0);

async function misbehave({ meter, deed }: ReadingTaken): Promise<void> {
  // Not at once: what follows an await is harder to trace back to its event.
  await sleep(1);
  const [verb, ms] = deed.split(' ');
  // Nobody listens there: an error that looks like that of a lost database.
  if (verb === 'dial') await once(connect(1, '127.0.0.1'), 'connect');
  if (verb === 'throw') throw new Error(`cannot book ${meter}`);
  if (verb === 'exit') process.exit(7);
  if (verb === 'kill') process.kill(process.pid, 'SIGKILL');
  if (verb === 'wait') await sleep(Number(ms));
  if (verb === 'block') spin(Number(ms));
}

/** Keeps the event loop busy. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Handles the same readings, and never fails. */
export class TallyReading {
  readonly writes: DeferredWrites<ReadingTaken>;
  constructor(db: ContextDatabase) {
    this.writes = new DeferredWrites(db, 'ledger.tally', (events) => {
      const meters = Map.groupBy(events, ({ meter }) => meter);
      const names = [...meters.keys()].toSorted();
      return [
        {
          text: 'insert into ledger.tally select * from unnest($1::text[], $2::int[]) on conflict (meter) do update set readings = ledger.tally.readings + excluded.readings',
          values: [names, names.map((name) => meters.get(name)!.length)],
        },
      ];
    });
  }
  handle(event: ReadingTaken): void {
    this.writes.push(event);
  }
}
EventsHandler(ReadingTaken)(TallyReading);
Inject(databaseToken('ledger'))(TallyReading, undefined, 0);

class CreateBooking1 {
  readonly name = 'CreateBooking1767225600001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table ledger.booking (seq bigserial primary key, meter text not null, value int not null, at timestamptz not null default clock_timestamp())');
    await runner.query('create table ledger.tally (meter text primary key, readings int not null)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table ledger.booking, ledger.tally');
  }
}

export class MeterModule {}
ContextModule({ name: 'meter', entities: [MeterSchema], migrations: [CreateMeter1], repositories: [Meters], commands: [ReadHandler], publishes: [ReadingTaken] })(MeterModule);

export class LedgerModule {}
ContextModule({ name: 'ledger', migrations: [CreateBooking1], repositories: [Bookings], subscribers: [BookReading, TallyReading] })(LedgerModule);

/** A second subscriber of the same readings. */
class AuditReading {
  readonly writes: DeferredWrites<ReadingTaken>;
  constructor(db: ContextDatabase) {
    this.writes = new DeferredWrites(db, 'audit.entry', (events) => [
      { text: 'insert into audit.entry (meter, value) select * from unnest($1::text[], $2::int[])', values: [events.map(({ meter }) => meter), events.map(({ value }) => value)] },
    ]);
  }
  handle(event: ReadingTaken): void {
    this.writes.push(event);
  }
}
EventsHandler(ReadingTaken)(AuditReading);
Inject(databaseToken('audit'))(AuditReading, undefined, 0);

class CreateEntry1 {
  readonly name = 'CreateEntry1767225600001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table audit.entry (seq bigserial primary key, meter text not null, value int not null)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table audit.entry');
  }
}

export class AuditModule {}
ContextModule({ name: 'audit', migrations: [CreateEntry1], subscribers: [AuditReading] })(AuditModule);
