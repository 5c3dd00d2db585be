import 'reflect-metadata';
import { currentMessage, uuidv7, withMessage } from '@nestbox/kernel';
import { UnitOfWork } from '@nestbox/persistence';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atWork, Count, GetCount } from './fixtures/counters.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';

/** Not stopped by what the test does with the others. */
class Plain extends Count {}

describe('a command whose time is over', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
  });
  afterAll(() => app?.stop());
  afterEach(() => {
    atWork.meanwhile = undefined;
  });

  const within = (ms: number, command: Count) => withMessage({ correlationId: uuidv7(), tenantId: 'default', deadline: Date.now() + ms }, () => app.commands.execute(command));
  const stored = async (id: string) => [await app.queries.execute(new GetCount(id)), (await app.counting.query('select 1 from counting.outbox where aggregate_id = $1', [id])).rows.length];

  it('is answered then, has changed nothing, and what is left of it cannot change anything later', async () => {
    const late = Promise.withResolvers<void>();
    atWork.meanwhile = () => late.promise;
    await expect(within(100, new Count('a'))).rejects.toMatchObject({ kind: 'timeout', code: 'messaging.deadline-exceeded' });
    late.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await stored('a')).toEqual([0, 0]);
  });

  it.each(['begins', 'has begun'])('leaves no transaction open that it %s, and no connection on which it could meddle with others', async (when) => {
    const late = Promise.withResolvers<void>();
    const after = Promise.withResolvers<unknown>();
    const nested = (id: string) => UnitOfWork.run(app.counting, () => app.commands.execute(new Plain(id)), { propagation: 'nested' });
    atWork.meanwhile = async (command) => {
      if (command instanceof Plain) return;
      if (when === 'has begun') await nested('e-nested');
      await late.promise;
      await nested('e-late').then(after.resolve, after.resolve);
    };
    await expect(within(300, new Count('e'))).rejects.toMatchObject({ code: 'messaging.deadline-exceeded' });
    late.resolve();
    expect(await after.promise).toBeInstanceOf(Error);
    const open = async () => (await app.counting.query("select 1 from pg_stat_activity where datname = current_database() and application_name = 'nestbox counting' and state like 'idle in transaction%'")).rows.length;
    await expect.poll(open).toBe(0);
    expect([await stored('e'), await stored('e-nested'), await stored('e-late')]).toEqual([[0, 0], [0, 0], [0, 0]]);
  });

  it('can stop by itself: its signal aborts', async () => {
    let aborted = false;
    atWork.meanwhile = () =>
      new Promise<void>((resolve) => {
        currentMessage()!.signal!.addEventListener('abort', () => {
          aborted = true;
          resolve();
        });
      });
    await expect(within(100, new Count('b'))).rejects.toMatchObject({ code: 'messaging.deadline-exceeded' });
    expect([aborted, await stored('b')]).toEqual([true, [0, 0]]);
  });

  it('is not even begun when it comes too late', async () => {
    let begun = false;
    atWork.meanwhile = () => {
      begun = true;
    };
    await expect(within(-1, new Count('c'))).rejects.toMatchObject({ code: 'messaging.deadline-exceeded' });
    expect([begun, await stored('c')]).toEqual([false, [0, 0]]);
  });

  it('may have less time than its caller, if its class says so', async () => {
    class Hasty extends Count {
      static override readonly type = 'counting.count';
      static readonly timeoutMs = 100;
    }
    atWork.meanwhile = () => new Promise<void>(() => undefined);
    await expect(within(600_000, new Hasty('d'))).rejects.toMatchObject({ code: 'messaging.deadline-exceeded' });
    expect(await stored('d')).toEqual([0, 0]);
  });
});
