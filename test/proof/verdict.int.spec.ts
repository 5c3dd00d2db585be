import { CommandBus } from '@nestjs/cqrs';
import { withMessage } from '@nestbox/kernel';
import { MessageRegistry, type SourcedEvent } from '@nestbox/messaging';
import { UnitOfWork } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databaseOf, HastyOutbox, type Lie, startApplication } from './broken-engine.ts';
import { Fill } from './contexts.ts';
import { isClean, judge, type Verdict } from './verdict.ts';

/** Which of the events of each basket the engine is wrong about. */
const VICTIM = 2;

describe('the oracle, asked about', () => {
  const acknowledged = new Map<string, number>();
  let database: TestDatabase;
  let judging: pg.Client;
  let app: Awaited<ReturnType<typeof startApplication>>;

  beforeEach(async () => {
    acknowledged.clear();
    database = await createTestDatabase();
    judging = new pg.Client({ connectionString: database.url });
    await judging.connect();
  });

  afterEach(async () => {
    await app.close();
    await judging.end();
    await database.drop();
  });

  async function work(): Promise<void> {
    for (const basket of ['t0-b0', 't1-b1']) for (let i = 0; i < 3; i++) await fill(basket, 2);
  }

  async function fill(basket: string, times: number): Promise<void> {
    const message = { correlationId: crypto.randomUUID(), causationId: crypto.randomUUID(), tenantId: basket.split('-')[0]! };
    acknowledged.set(basket, await withMessage(message, () => app.get(CommandBus).execute(new Fill(basket, times, 'plain'))));
  }

  /** The verdict once every ledger has as many rows as given. */
  async function verdictAt(rows: { readonly [ledger: string]: number }): Promise<Verdict> {
    const counts = async () => Promise.all(Object.keys(rows).map(async (ledger) => (await judging.query<{ rows: number }>(`select count(*)::int rows from ${ledger}`)).rows[0]!.rows));
    await expect.poll(counts).toEqual(Object.values(rows));
    return judge(judging, acknowledged);
  }

  function kindsOf(verdict: Verdict): string[] {
    return Object.entries(verdict).flatMap(([kind, breaks]: [string, string[]]) => (breaks.length > 0 ? [kind] : []));
  }

  it('an engine that works: nothing is wrong', async () => {
    app = await startApplication(database, 'audit');
    await work();
    const verdict = await verdictAt({ 'desk.shop': 12, 'audit.shop': 12, 'audit.totals': 12, 'audit.desk': 12 });
    expect(isClean(verdict), JSON.stringify(verdict)).toBe(true);
  });

  it('an engine that skips an event: it is lost', async () => {
    app = await startApplication(database, 'audit', skipping);
    await work();
    const verdict = await verdictAt({ 'desk.shop': 12, 'audit.shop': 10, 'audit.totals': 12, 'audit.desk': 12 });
    expect(verdict.lost).toEqual(['audit.shop t0-b0 step 2 of 6', 'audit.shop t1-b1 step 2 of 6']);
    expect(kindsOf(verdict)).toEqual(['lost']);
  });

  it('an engine that runs an event twice: it is doubled, and so is what it led to', async () => {
    app = await startApplication(database, 'desk', repeating);
    await work();
    const verdict = await verdictAt({ 'desk.shop': 14, 'audit.shop': 12, 'audit.totals': 12, 'audit.desk': 14 });
    expect(verdict.doubled).toEqual(expect.arrayContaining(['desk.shop t0-b0 step 2, 2 times', 'desk.note t0-b0 has 7 steps instead of 6']));
    expect(kindsOf(verdict)).toEqual(['doubled']);
  });

  it('an engine that swaps two events of an aggregate: it is reordered', async () => {
    app = await startApplication(database, 'audit', swapping());
    await work();
    const verdict = await verdictAt({ 'desk.shop': 12, 'audit.shop': 12, 'audit.totals': 12, 'audit.desk': 12 });
    expect(verdict.reordered).toEqual(['audit.shop t0-b0 step 1 after 2', 'audit.shop t1-b1 step 1 after 2']);
    expect(kindsOf(verdict)).toEqual(['reordered']);
  });

  it('an engine that lets an event out although its command was undone: the effect has no cause', async () => {
    app = await startApplication(database, 'audit');
    await work();
    const shop = databaseOf(app, 'shop');
    shop.outbox = new HastyOutbox(shop, shop.outbox!);
    await expect(fill('t0-b0', 1)).rejects.toThrow('null value');
    const verdict = await verdictAt({ 'desk.shop': 13, 'audit.shop': 13, 'audit.totals': 13, 'audit.desk': 13 });
    expect(verdict.uncaused).toEqual(expect.arrayContaining(['desk.shop t0-b0 step 7 of 6', 'audit.shop t0-b0 step 7 of 6', 'audit.totals t0-b0 step 7 of 6']));
  });

  it('an engine that applies an effect before the commit that fails: it is doubled', async () => {
    app = await startApplication(database, 'audit');
    const handler = app.get(MessageRegistry).contexts.flatMap(({ readers }) => readers).flatMap(({ handlers }) => handlers).find(({ name }) => name === 'AuditShop')!;
    const audit = databaseOf(app, 'audit');
    const undone = new Set<string>();
    Object.assign(handler, {
      handle: async ({ basket, step }: { basket: string; step: number }) => {
        await audit.query('insert into audit.shop (basket, step) values ($1, $2)', [basket, step]);
        if (step === VICTIM && undone.size < undone.add(basket).size) throw new Error('undone');
      },
    });
    await work();
    const verdict = await verdictAt({ 'desk.shop': 12, 'audit.totals': 12, 'audit.desk': 12 });
    await expect.poll(async () => (await judge(judging, acknowledged)).doubled).toEqual(expect.arrayContaining(['audit.shop t0-b0 step 2, 2 times']));
    expect(kindsOf(verdict)).not.toContain('uncaused');
  });

  it('a command that was answered and then undone: it is not kept', async () => {
    app = await startApplication(database, 'audit');
    await work();
    await UnitOfWork.run(databaseOf(app, 'shop'), async () => {
      await fill('t0-b0', 1);
      throw new Error('undone');
    }).catch(() => undefined);
    const verdict = await verdictAt({ 'desk.shop': 12, 'audit.shop': 12, 'audit.totals': 12, 'audit.desk': 12 });
    expect(verdict.unacknowledged).toEqual(['t0-b0 step 7']);
    expect(kindsOf(verdict)).toEqual(['unacknowledged']);
  });
});

/** Leaves one out, and hides the gap. */
const skipping: Lie = (events) => {
  const left: SourcedEvent[] = [];
  let missing: SourcedEvent | undefined;
  for (const event of events) {
    if (event.payload['step'] === VICTIM) missing = event;
    else left.push({ ...event, prev: missing?.n === event.prev ? missing.prev : event.prev });
  }
  return left;
};

/** Delivers one again, as another event behind it. */
const repeating: Lie = (events) =>
  events.flatMap((event) => (event.payload['step'] === VICTIM ? [event, { ...event, n: event.n + 1, prev: event.n }] : [event]));

/** Swaps what the second event of each basket says with what the first says. */
function swapping(): Lie {
  return (events) => events.map((event) => (Number(event.payload['step']) <= VICTIM ? { ...event, payload: { ...event.payload, step: VICTIM + 1 - Number(event.payload['step']) } } : event));
}
