import 'reflect-metadata';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContextDatabase } from './context-database.js';
import { isConnectionError } from './statement.js';

describe('the database of a context', () => {
  let database: TestDatabase;
  let db: ContextDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'bank', url: database.url });
    await db.open();
  });

  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  for (const kind of ['pool', 'enginePool'] as const) {
    it(`survives that the server ends a connection of its ${kind} while somebody holds it in silence`, async () => {
      const held = await db[kind].connect();
      await held.query('begin');
      const { rows } = await held.query('select pg_backend_pid() pid');
      // An error that nobody listens to would end the process here.
      const ended = new Promise((resolve) => held.once('end', () => resolve(undefined)));
      await db.query('select pg_terminate_backend($1)', [rows[0].pid]);
      await ended;
      const failure = await held.query('select 1').catch((error: unknown) => error);
      expect(isConnectionError(failure)).toBe(true);
      held.release(failure as Error);
      expect((await db[kind].query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    });
  }
});
