import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, EventsHandler } from '@nestjs/cqrs';
import { Aggregate, DomainEvent } from '@nestbox/kernel';
import { ContextModule } from '@nestbox/messaging';
import { AggregateStore, type ContextDatabase, DeferredWrites, InjectDatabase } from '@nestbox/persistence';
import { EntitySchema, type MigrationInterface, type QueryRunner } from 'typeorm';

/** The publishing context of every benchmark: things that change. */
export class Changed extends DomainEvent {
  static readonly type = 'bench.changed';
  constructor(readonly thing: string, readonly version: number, readonly note: string) {
    super();
  }
}

export class Thing extends Aggregate {
  value = 0;
  constructor(readonly id: string) {
    super();
  }

  change(announced: boolean): void {
    this.value += 1;
    if (announced) this.raise(new Changed(this.id, this.version + 1, NOTE));
  }
}

/** Makes the payload of an event about as large as those of an order: 300 bytes of JSON. */
export const NOTE = 'n'.repeat(220);

const ThingSchema = new EntitySchema<Thing>({
  name: 'Thing',
  target: Thing,
  tableName: 'thing',
  schema: 'bench',
  columns: { id: { type: 'text', primary: true, primaryKeyConstraintName: 'thing_pkey' }, value: { type: 'int' }, version: { type: 'int' } },
});

@Injectable()
export class Things {
  readonly store: AggregateStore<Thing>;
  constructor(@InjectDatabase('bench') db: ContextDatabase) {
    this.store = new AggregateStore(db, ThingSchema, { type: 'bench.thing' });
  }
}

/** Changes a thing, with or without an event about it. Answers with its new version. */
export class Change extends Command<number> {
  static readonly type = 'bench.change';
  constructor(readonly id: string, readonly announced: boolean) {
    super();
  }
}

@CommandHandler(Change)
export class ChangeHandler {
  constructor(private readonly things: Things) {}
  async execute({ id, announced }: Change) {
    const thing = await this.things.store.get(id);
    thing.change(announced);
    return thing.version + (announced ? 0 : 1);
  }
}

class CreateThing1 implements MigrationInterface {
  readonly name = 'CreateThing1767225600001';
  async up(runner: QueryRunner) {
    await runner.query('create table bench.thing (id text constraint thing_pkey primary key, value int not null, version int not null)');
  }
  async down(runner: QueryRunner) {
    await runner.query('drop table bench.thing');
  }
}

@ContextModule({ name: 'bench', entities: [ThingSchema], migrations: [CreateThing1], repositories: [Things], commands: [ChangeHandler], publishes: [Changed] })
export class BenchModule {}

/** When the handler of each event has started, in ns of the machine's monotonic clock; for latencies. */
@Injectable()
export class Probe {
  readonly starts = new Map<string, bigint>();
  recording = false;

  started({ thing, version }: Changed): void {
    if (this.recording) this.starts.set(`${thing}/${version}`, process.hrtime.bigint());
  }
}

/** The subscribing context: one row for every event. */
@Injectable()
export class Effects {
  readonly writes: DeferredWrites<Changed>;
  constructor(@InjectDatabase('effects') db: ContextDatabase) {
    this.writes = new DeferredWrites(db, 'effects.effect', (events) => [
      { text: 'insert into effects.effect (thing, version) select * from unnest($1::text[], $2::int[])', values: [events.map((event) => event.thing), events.map((event) => event.version)] },
    ]);
  }
}

@EventsHandler(Changed)
export class NoteWhenChanged {
  constructor(private readonly effects: Effects, private readonly probe: Probe) {}
  handle(event: Changed) {
    this.probe.started(event);
    this.effects.writes.push(event);
  }
}

/** The same table for every contestant; `seq` and `at` tell in which order and how fast it was filled. */
export const EFFECT_TABLE = 'effects.effect (seq bigserial primary key, thing text not null, version int not null, at timestamptz not null default clock_timestamp())';

class CreateEffect1 implements MigrationInterface {
  readonly name = 'CreateEffect1767225600001';
  async up(runner: QueryRunner) {
    await runner.query(`create table ${EFFECT_TABLE}`);
  }
  async down(runner: QueryRunner) {
    await runner.query('drop table effects.effect');
  }
}

@ContextModule({ name: 'effects', migrations: [CreateEffect1], repositories: [Effects], providers: [Probe], subscribers: [NoteWhenChanged] })
export class EffectsModule {}
