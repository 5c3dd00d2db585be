import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type ContextDatabase, databaseToken, PersistenceModule } from '@nestbox/persistence';
import { createTestDatabase, settled, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Count, CountingModule, GetCount, watcher, WatchingModule } from './fixtures/counters.js';
import { MessagingModule } from './messaging.module.js';

describe('the engine in one process', () => {
  let database: TestDatabase;
  let app: INestApplicationContext;
  let counting: ContextDatabase;
  let watching: ContextDatabase;
  let commands: CommandBus;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await NestFactory.createApplicationContext(
      {
        module: class App {},
        imports: [
          PersistenceModule.forRoot({ urlOf: () => database.url, migrate: true }),
          MessagingModule.forRoot({
            topology: { service: 'all', contexts: ['counting', 'watching'], entrypoints: [], events: 'in-process', instances: 1 },
            settings: { SERVICE: 'all', TOPOLOGY_FILE: '', NATS_URL: '', NATS_NAMESPACE: '', REMOTE_TIMEOUT_MS: 5000, EVENT_RETENTION_DAYS: 7 },
          }),
          CountingModule,
          WatchingModule,
        ],
      },
      { logger: ['error', 'warn'], abortOnError: false },
    );
    counting = app.get(databaseToken('counting'), { strict: false });
    watching = app.get(databaseToken('watching'), { strict: false });
    commands = app.get(CommandBus);
  });

  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  beforeEach(() => {
    watcher.fail = undefined;
  });

  const settle = () => settled([counting, watching], [{ reader: 'watching', db: watching, source: counting }]);
  const sightings = async (counter: string) =>
    (await watching.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);

  it('brings every event to its subscriber, in the order of its aggregate', async () => {
    for (let i = 0; i < 20; i++) await commands.execute(new Count('a'));
    await settle();
    expect(await sightings('a')).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('stores neither row nor event of a command that fails', async () => {
    await expect(commands.execute(new Count('b', true))).rejects.toThrow('asked for a failure');
    await settle();
    expect(await app.get(QueryBus).execute(new GetCount('b'))).toBe(0);
    expect(await sightings('b')).toEqual([]);
  });

  it('lets 50 concurrent commands on 5 aggregates all succeed, each exactly once', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => commands.execute(new Count(`c${i % 5}`))));
    await settle();
    for (let i = 0; i < 5; i++) expect(await sightings(`c${i}`)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('refuses a query that writes', async () => {
    await expect(app.get(QueryBus).execute(new GetCount('a', true))).rejects.toThrow(/read-only/);
  });

  it('sets aside only the key whose handler fails, and catches up in order', async () => {
    let failing = true;
    watcher.fail = (event) => {
      if (failing && event.id === 'd1') throw new Error('no luck');
    };
    for (let i = 0; i < 3; i++) await Promise.all([commands.execute(new Count('d1')), commands.execute(new Count('d2'))]);
    await settle();
    expect(await sightings('d2')).toEqual([1, 2, 3]);
    expect(await sightings('d1')).toEqual([]);
    failing = false;
    await expect.poll(() => sightings('d1'), { timeout: 10_000 }).toEqual([1, 2, 3]);
    expect((await watching.query('select 1 from watching.trouble')).rows).toEqual([]);
  });
});
