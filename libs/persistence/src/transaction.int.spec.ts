import { createTestDatabase, CuttingProxy, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable } from './errors.js';
import { TransactionRolledBack } from './transaction.js';
import { UnitOfWork } from './unit-of-work.js';
import { writeBatch } from './write-batch.js';

describe('a transaction', () => {
  const warnings: string[] = [];
  let database: TestDatabase;
  let db: ContextDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'bank', url: database.url, poolSize: 2, warn: (message) => warnings.push(message) });
    await db.open();
    await db.migrate();
    await db.query('create table bank.note (n int check (n <> 13))');
  });

  beforeEach(() => db.query('delete from bank.note'));

  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  const note = (n: number) => ({ text: 'insert into bank.note values ($1)', values: [n] });
  const notes = async () => (await db.query<{ n: number }>('select n from bank.note order by n')).rows.map(({ n }) => n);

  it('fails as a whole, with the error of the statement that failed, when it is sent in one go', async () => {
    const transaction = await db.begin();
    await expect(transaction.commit([note(1), note(13), note(2)])).rejects.toMatchObject({ code: '23514' });
    await transaction.rollback();
    expect(await notes()).toEqual([]);
  });

  it('has failed when COMMIT succeeds with the answer ROLLBACK', async () => {
    const transaction = await db.begin();
    await writeBatch(transaction.client, [note(1)]);
    await expect(transaction.client.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await expect(transaction.commit([])).rejects.toThrow(TransactionRolledBack);
    await transaction.rollback();
    expect(await notes()).toEqual([]);
  });

  it('does not begin when BEGIN fails, and what would have followed is not sent', async () => {
    const proxy = await CuttingProxy.before(database);
    const behind = new ContextDatabase({ context: 'bank', url: proxy.database.url, poolSize: 2 });
    await behind.open();
    proxy.cutNext('before', 'begin');
    const work = UnitOfWork.run(behind, () => UnitOfWork.run(behind, async () => undefined, { propagation: 'nested' }));
    await expect(work).rejects.toThrow(DatabaseUnavailable);
    expect(proxy.armed).toBe(false);
    await behind.close();
    await proxy.stop();
    expect(await notes()).toEqual([]);
  });

  it.each(['repeatable read', 'serializable'])('is not %s by default: such a database is refused, with what to do', async (isolation) => {
    const strict = await createTestDatabase();
    const other = new ContextDatabase({ context: 'bank', url: strict.url, poolSize: 2 });
    await db.query(`alter database ${strict.name} set default_transaction_isolation = '${isolation}'`);
    await expect(other.open()).rejects.toThrow(new RegExp(`makes every transaction "${isolation}" by default.*What to do: alter database`, 's'));
    await other.close();
    await strict.drop();
  });

  it('with many nested units of work says that it slows others down, once', async () => {
    await UnitOfWork.run(db, async () => {
      for (let i = 0; i < 40; i++) await UnitOfWork.run(db, async () => undefined, { propagation: 'nested' });
    });
    expect(warnings.filter((warning) => /32 nested units of work/.test(warning))).toHaveLength(1);
  });
});
