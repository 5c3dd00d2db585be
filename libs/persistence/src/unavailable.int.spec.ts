import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable } from './errors.js';
import { isTransient } from './statement.js';
import { UnitOfWork } from './unit-of-work.js';

describe('a database without free connections', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let db: ContextDatabase;
  let role: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    role = `${database.name}_one`;
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`create role ${role} login password 'one' connection limit 1`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'one';
    db = new ContextDatabase({ context: 'shop', url: url.href, poolSize: 2 });
    await db.open();
  });

  afterAll(async () => {
    await db?.close();
    await admin?.query(`drop role ${role}`);
    await admin?.end();
    await database?.drop();
  });

  it('is unavailable to statements, queries and units of work, which may be tried again', async () => {
    const only = await db.connect();
    const refused = [
      db.query('select 1'),
      db.read(() => db.manager.query('select 1')),
      UnitOfWork.run(db, () => db.manager.query('select 1')),
      UnitOfWork.run(db, async () => {
        await UnitOfWork.current()!.scope(() => UnitOfWork.run(db, async () => undefined, { propagation: 'nested' }));
      }),
    ];
    for (const result of await Promise.allSettled(refused)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(DatabaseUnavailable) });
      expect(isTransient((result as PromiseRejectedResult).reason)).toBe(true);
    }
    only.release();
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('is unavailable, too, while a connection is missing in the engine', async () => {
    const only = await db.connect();
    const error = await db.enginePool.query('select 1').catch((caught: unknown) => caught);
    only.release();
    expect(error).toMatchObject({ code: '53300' });
    expect(isTransient(error)).toBe(true);
  });

  it('may go away while a transaction waits, of a command as of the engine: its next statement fails, and the process lives', async () => {
    for (const connect of [() => db.connect(), () => db.enginePool.connect()]) {
      const client = await connect();
      await client.query('begin');
      const gone = new Promise((resolve) => client.once('end', resolve));
      await admin.query('select pg_terminate_backend($1)', [(client as unknown as { processID: number }).processID]);
      await gone;
      const error = await client.query('select 1').catch((caught: unknown) => caught);
      client.release(error as Error);
      expect(isTransient(error)).toBe(true);
    }
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
