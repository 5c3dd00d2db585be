import 'reflect-metadata';
import { type MessageContext, uuidv7, withMessage } from '@nestbox/kernel';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atWork, Count, GetCount } from './fixtures/counters.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { forgetOldKeys } from './idempotency.js';

/** Longer than a test takes, in ms. */
const LONG = 600_000;

describe('a command that comes with an idempotency key', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
  });
  afterAll(() => app?.stop());
  afterEach(() => {
    atWork.meanwhile = undefined;
  });

  /** Sends a command as an entry point does. */
  const send = (key: string, command: Count, more: Partial<MessageContext> = {}) =>
    withMessage({ correlationId: uuidv7(), tenantId: 'default', deadline: Date.now() + LONG, idempotencyKey: key, ...more }, () => app.commands.execute(command));
  const count = (id: string) => app.queries.execute(new GetCount(id));
  const events = async (id: string) => (await app.counting.query('select count(*)::int count from counting.outbox where aggregate_id = $1', [id])).rows[0]!['count'] as number;
  const gate = () => Promise.withResolvers<void>();

  it('is done once and answered twice', async () => {
    let replays = 0;
    const onReplay = () => void replays++;
    const first = await send('key-a', new Count('a'), { onReplay });
    expect([first, replays]).toEqual([{ value: 1 }, 0]);
    expect([await send('key-a', new Count('a'), { onReplay }), replays]).toEqual([{ value: 1 }, 1]);
    expect([await count('a'), await events('a')]).toEqual([1, 1]);
    expect(await send('key-a2', new Count('a'))).toEqual({ value: 2 });
  });

  it('has one effect when 50 come at the same time; each is answered like the first, or told to wait', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 50 }, () => send('key-b', new Count('b'))));
    expect([await count('b'), await events('b')]).toEqual([1, 1]);
    for (const answer of answers) {
      if (answer.status === 'fulfilled') expect(answer.value).toEqual({ value: 1 });
      else expect(answer.reason).toMatchObject({ kind: 'conflict', code: 'messaging.request-in-progress' });
    }
    expect(await send('key-b', new Count('b'))).toEqual({ value: 1 });
  });

  it('is refused while the first is still at work, and answered afterwards', async () => {
    const [begun, finish] = [gate(), gate()];
    atWork.meanwhile = () => (begun.resolve(), finish.promise);
    const first = send('key-c', new Count('c'));
    await begun.promise;
    await expect(send('key-c', new Count('c'))).rejects.toMatchObject({ code: 'messaging.request-in-progress', message: expect.stringContaining('Repeat it in a moment') as string });
    finish.resolve();
    expect(await first).toEqual({ value: 1 });
    expect(await send('key-c', new Count('c'))).toEqual({ value: 1 });
  });

  it('is refused when the key belongs to another request', async () => {
    await send('key-d', new Count('d'));
    await expect(send('key-d', new Count('other'))).rejects.toMatchObject({ kind: 'invalid', code: 'messaging.idempotency-key-reused' });
    expect(await count('other')).toBe(0);
  });

  it('repeats a refusal, too, without asking again', async () => {
    const refusal = { kind: 'invalid', code: 'counting.told-to-fail', message: 'The command asked for a failure.' };
    await expect(send('key-e', new Count('e', true))).rejects.toMatchObject(refusal);
    let asked = false;
    atWork.meanwhile = () => {
      asked = true;
    };
    await expect(send('key-e', new Count('e', true))).rejects.toMatchObject(refusal);
    expect([asked, await count('e')]).toEqual([false, 0]);
  });

  it('may be repeated at once after a mistake of ours, which is no answer', async () => {
    atWork.meanwhile = () => {
      throw new TypeError('a bug');
    };
    await expect(send('key-f', new Count('f'))).rejects.toThrow('a bug');
    atWork.meanwhile = undefined;
    expect(await send('key-f', new Count('f'))).toEqual({ value: 1 });
  });

  it('belongs to its tenant, its caller and its operation', async () => {
    expect(await send('key-g', new Count('g'))).toEqual({ value: 1 });
    expect(await send('key-g', new Count('g'), { tenantId: 'another' })).toEqual({ value: 2 });
    expect(await send('key-g', new Count('g'), { identity: { subject: 'somebody', permissions: [] } })).toEqual({ value: 3 });
  });

  it('does not block for ever when its process was killed: the claim ends with the deadline', async () => {
    await send('key-h', new Count('h'));
    const pretend = (until: string) => app.counting.query(`update counting.idempotency_key set answer = null, until = clock_timestamp() + interval '${until}' where key = 'key-h'`);
    await pretend('1 hour');
    await expect(send('key-h', new Count('h'))).rejects.toMatchObject({ code: 'messaging.request-in-progress' });
    await pretend('-1 ms');
    expect(await send('key-h', new Count('h'))).toEqual({ value: 2 });
  });

  it('cannot commit when somebody else has taken the key over meanwhile, and is answered as that one was', async () => {
    const [begun, finish] = [gate(), gate()];
    let first = true;
    atWork.meanwhile = () => {
      if (!first) return undefined;
      first = false;
      begun.resolve();
      return finish.promise;
    };
    const slow = send('key-i', new Count('i'));
    await begun.promise;
    await app.counting.query("update counting.idempotency_key set until = clock_timestamp() where key = 'key-i'");
    expect(await send('key-i', new Count('i'))).toEqual({ value: 1 });
    finish.resolve();
    expect(await slow).toEqual({ value: 1 });
    expect([await count('i'), await events('i')]).toEqual([1, 1]);
  });

  it('is done although a crash of the server has lost its claim', async () => {
    atWork.meanwhile = () => app.counting.query("delete from counting.idempotency_key where key = 'key-j'");
    expect(await send('key-j', new Count('j'))).toEqual({ value: 1 });
    atWork.meanwhile = undefined;
    expect(await send('key-j', new Count('j'))).toEqual({ value: 1 });
    expect(await count('j')).toBe(1);
  });

  it.each([[''], ['x'.repeat(256)], ['x'.repeat(10_000)], ['a\0b'], ['schlüssel'], ['\ud800']])('is refused when its key is none: %j', async (key) => {
    await expect(send(key, new Count('none'))).rejects.toMatchObject({ kind: 'invalid', code: 'messaging.malformed-request' });
    expect(await count('none')).toBe(0);
  });

  it('is forgotten after its time', async () => {
    await send('key-k', new Count('k'));
    await forgetOldKeys(app.counting, LONG);
    expect(await send('key-k', new Count('k'))).toEqual({ value: 1 });
    await forgetOldKeys(app.counting, 0);
    expect(await send('key-k', new Count('k'))).toEqual({ value: 2 });
    expect((await app.counting.query("select 1 from counting.idempotency_key where key = 'key-a'")).rows).toEqual([]);
  });
});
