import 'reflect-metadata';
import { EventsHandler } from '@nestjs/cqrs';
import { DomainEvent, type Upcaster } from '@nestbox/kernel';
import { type ContextDatabase, InjectDatabase } from '@nestbox/persistence';
import { TestApplication } from '@nestbox/testing';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContextModule, type ProjectionDefinition } from './context-module.js';
import { laneOf } from './lanes.js';
import { rebuildProjection } from './projection.js';

/** Version 1 had degrees Fahrenheit, version 2 degrees Celsius, version 3 says its unit. */
class Measured extends DomainEvent {
  static readonly type = 'weather.measured';
  static readonly schemaVersion = 3;
  static readonly upcasters: Readonly<Record<number, Upcaster>> = {
    1: ({ fahrenheit, ...rest }) => ({ ...rest, celsius: (Number(fahrenheit) - 32) / 1.8 }),
    2: ({ celsius, ...rest }) => ({ ...rest, temperature: { value: celsius, unit: 'C' } }),
  };
  constructor(readonly place: string, readonly temperature: { readonly value: number; readonly unit: string }) {
    super();
  }
}

@ContextModule({ name: 'weather', publishes: [Measured] })
class WeatherModule {}

@EventsHandler(Measured)
class NoteWhenMeasured {
  constructor(@InjectDatabase('station') private readonly db: ContextDatabase) {}
  async handle({ place, temperature }: Measured) {
    await this.db.manager.query('insert into station.note values ($1, $2)', [place, `${temperature.value} ${temperature.unit}`]);
  }
}

@EventsHandler(Measured)
class ShowWhenMeasured {
  constructor(@InjectDatabase('station') private readonly db: ContextDatabase) {}
  async handle({ place, temperature }: Measured) {
    await this.db.manager.query('insert into station.shown values ($1, $2)', [place, `${temperature.value} ${temperature.unit}`]);
  }
}

class CreateStation1 implements MigrationInterface {
  readonly name = 'CreateStation1767225600001';
  async up(runner: QueryRunner) {
    await runner.query('create table station.note (place text, temperature text); create table station.shown (place text, temperature text)');
  }
  async down(runner: QueryRunner) {
    await runner.query('drop table station.note, station.shown');
  }
}

const BOARD: ProjectionDefinition = { name: 'board', tables: ['shown'], subscribers: [ShowWhenMeasured] };

@ContextModule({ name: 'station', migrations: [CreateStation1], subscribers: [NoteWhenMeasured], projections: [BOARD] })
class StationModule {}

describe.each(['in-process', 'nats'] as const)('events of older schema versions, %s', (events) => {
  let app: TestApplication;

  beforeAll(async () => {
    app = await TestApplication.start([WeatherModule, StationModule], { topology: { events } });
  });

  afterAll(() => app?.stop());

  /** As a process with an older version of the class has stored it. */
  const stored = (place: string, schemaVersion: number, payload: object) =>
    app.db('weather').query(
      `insert into weather.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
       values (gen_random_uuid(), 'default', $1, 'weather.place', $2, 1, 'weather.measured', $3, $4, '{"correlationId":"c"}')`,
      [laneOf('default', 'weather.place', place), place, schemaVersion, JSON.stringify({ place, ...payload })],
    );
  const rows = async (table: string, where = 'true') => (await app.db('station').query<{ place: string; temperature: string }>(`select place, temperature from station.${table} where ${where} order by place`)).rows;
  const all = [
    { place: 'Athens', temperature: '30 C' },
    { place: 'Bergen', temperature: '7 C' },
    { place: 'Cairo', temperature: '35 C' },
  ];

  it('reach every handler as the present version', async () => {
    await stored('Athens', 1, { fahrenheit: 86 });
    await stored('Bergen', 2, { celsius: 7 });
    await stored('Cairo', 3, { temperature: { value: 35, unit: 'C' } });
    await expect.poll(() => rows('note')).toEqual(all);
    await expect.poll(() => rows('shown')).toEqual(all);
  });

  it('do so when a projection is rebuilt', async () => {
    await app.db('station').query('update station.shown set temperature = null');
    await rebuildProjection(app.db('station'), BOARD);
    await expect.poll(() => rows('shown')).toEqual(all);
  });

  it('do so when they are tried again; what waits in trouble is kept as it was stored', async () => {
    const faults = app.faults(NoteWhenMeasured).fail();
    await stored('Delhi', 1, { fahrenheit: 104 });
    await expect.poll(() => rows('shown', "place = 'Delhi'")).toEqual([{ place: 'Delhi', temperature: '40 C' }]);
    await app.settled();
    const { rows: trouble } = await app.db('station').query("select event->'payload' payload, event->'schemaVersion' version from station.trouble");
    expect(trouble).toEqual([{ payload: { place: 'Delhi', fahrenheit: 104 }, version: 1 }]);
    expect(await rows('note', "place = 'Delhi'")).toEqual([]);
    faults.heal();
    await app.clock.advance('5m');
    await app.settled();
    expect(await rows('note', "place = 'Delhi'")).toEqual([{ place: 'Delhi', temperature: '40 C' }]);
    faults.remove();
  });
});
