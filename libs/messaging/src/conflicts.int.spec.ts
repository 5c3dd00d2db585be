import 'reflect-metadata';
import { uuidv7, withMessage } from '@nestbox/kernel';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atWork, Count, GetCount } from './fixtures/counters.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';

/** For how long the commands of this test are waited for, in ms: enough to get as far as they should, on any machine. */
const PATIENCE = 3_000;

describe('commands that change the same thing at the same time', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
  });
  afterAll(() => app?.stop());
  afterEach(() => {
    atWork.meanwhile = undefined;
  });

  const count = (id: string, ms = 60_000) => {
    const deadline = Date.now() + ms;
    return { deadline, answer: withMessage({ correlationId: uuidv7(), tenantId: 'default', deadline }, () => app.commands.execute(new Count(id))) };
  };
  /** Changes the counter as somebody else would, in a transaction that stays open until `end`. */
  const holdRow = async (id: string) => {
    const holder = await app.counting.connectAlone();
    await holder.query('begin');
    await holder.query('update counting.counter set value = value + 100, version = version + 1 where id = $1', [id]);
    return { end: () => holder.query('commit').then(() => holder.end()) };
  };
  const waiting = async () => (await app.counting.query("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%counting%counter%'")).rows.length;

  it('are decided again on the newest state, as often as it takes', async () => {
    await count('a').answer;
    let lost = 0;
    atWork.meanwhile = async () => {
      if (lost === 3) return;
      lost += 1;
      await app.counting.query('update counting.counter set value = value + 100, version = version + 1 where id = $1', ['a']);
    };
    expect(await count('a').answer).toEqual({ value: 302 });
    expect([lost, await app.queries.execute(new GetCount('a'))]).toEqual([3, 302]);
  });

  it('are told so when the last attempt was lost after the deadline, and have changed nothing', async () => {
    await count('b').answer;
    let held: Awaited<ReturnType<typeof holdRow>> | undefined;
    atWork.meanwhile = async () => {
      held ??= await holdRow('b');
    };
    const { deadline, answer } = count('b', PATIENCE);
    const told = answer.catch((error: unknown) => error);
    // Its commit has begun, and cannot be taken back.
    await expect.poll(waiting).toBe(1);
    await expect.poll(() => Date.now() > deadline).toBe(true);
    await held!.end();
    expect(await told).toMatchObject({ kind: 'conflict', code: 'persistence.concurrency-conflict' });
    expect(await app.queries.execute(new GetCount('b'))).toBe(101);
  });

  it('are told that the time is over when somebody else still has it at the deadline, and change nothing later', async () => {
    await count('c').answer;
    let lost = 0;
    let held: Awaited<ReturnType<typeof holdRow>> | undefined;
    atWork.meanwhile = async () => {
      lost += 1;
      await app.counting.query('update counting.counter set version = version + 1 where id = $1', ['c']);
      // The attempts after the third one lock what they load, and wait here.
      if (lost === 3) held = await holdRow('c');
    };
    const { answer } = count('c', PATIENCE);
    await expect(answer).rejects.toMatchObject({ kind: 'timeout', code: 'messaging.deadline-exceeded' });
    await held!.end();
    await expect.poll(waiting).toBe(0);
    expect([lost, await app.queries.execute(new GetCount('c'))]).toEqual([3, 101]);
  });
});
