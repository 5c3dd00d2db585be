import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { uuidv7 } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApplication } from '../../src/core/application.ts';
import { callerHeaders, developerSettings } from '../../src/core/developer.spec.ts';
import { randomOf } from '../chaos/random.ts';

interface Item {
  readonly id: string;
  readonly customerId?: string;
  readonly status?: string;
}

interface Page {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

type Answer = Awaited<ReturnType<NestFastifyApplication['inject']>>;
type Filter = Readonly<Partial<Record<'customerId' | 'status', string>>>;

/** Random choices that a seed decides. */
class Dice {
  private readonly random: () => number;
  constructor(readonly seed: number) {
    this.random = randomOf(seed);
  }

  below(end: number): number {
    return Math.floor(this.random() * end);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

const SEEDS = [1, 2, 3, 4, 5];

describe('the pages of a list that grows meanwhile', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let client: pg.Client;
  let headers: Record<string, string>;
  /** Every order that was placed, with what it came to. */
  const orders: Item[] = [];
  let names = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    ({ app } = await createApplication({ ...database.env, ...developerSettings, LOG_LEVEL: 'silent', RATE_LIMIT_PER_MINUTE: '0' }));
    await app.init();
    headers = await callerHeaders(app);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await register('tea');
    await send('/v1/products/tea/receipts', { quantity: 1_000_000 });
  });
  afterAll(async () => {
    await client?.end();
    await app?.close();
    await database?.drop();
  });

  async function send(url: string, payload: object): Promise<Item> {
    const answer = await app.inject({ method: 'POST', url, headers, payload });
    expect(answer.statusCode, answer.body).toBeLessThan(300);
    return answer.json<Item>();
  }

  const register = (id: string) => send('/v1/products', { id, name: `Product ${id}` });
  const place = (dice: Dice, customerId: string) => send('/v1/orders', { customerId, lines: [{ productId: dice.of(['tea', 'unheard-of']), quantity: 1, unitPrice: 1 }] });

  /** Waits until no order is on its way, then notes what became of each. */
  async function settle(): Promise<void> {
    await expect.poll(async () => (await app.inject({ url: '/v1/orders?status=placed&limit=1', headers })).json<Page>().items).toEqual([]);
    orders.splice(0, orders.length, ...(await client.query<Item>('select id, customer_id "customerId", status from ordering.orders')).rows);
  }

  /** An order whose id is older than others that were committed before it: a copy of one, as if its commit had taken long. */
  async function commitLate(dice: Dice): Promise<void> {
    const { id } = dice.of(orders);
    const late = id.slice(0, 20) + uuidv7().slice(20);
    await client.query(`insert into ordering.orders select (jsonb_populate_record(o, jsonb_build_object('id', $2::text))).* from ordering.orders o where id = $1`, [id, late]);
  }

  /** Reads a list to its end as a client does, and lets `meanwhile` happen at each page. */
  async function readAll(dice: Dice, path: string, filter: Filter, meanwhile: () => Promise<unknown>): Promise<Item[]> {
    const limit = 1 + dice.below(dice.of([3, 20, 200]));
    const first = `${path}?${new URLSearchParams({ ...filter, limit: String(limit) })}`;
    const seen: Item[] = [];
    for (let url: string | null = first; url !== null; ) {
      const [answer]: [Answer, unknown] = await Promise.all([app.inject({ url, headers }), meanwhile()]);
      expect(answer.statusCode, answer.body).toBe(200);
      const { items, nextCursor } = answer.json<Page>();
      seen.push(...items);
      const link = /<([^>]+)>; rel="next"/.exec(String(answer.headers['link']))?.[1] ?? null;
      expect([items.length === limit || nextCursor === null, items.length <= limit, link === null]).toEqual([true, true, nextCursor === null]);
      url = nextCursor === null ? null : dice.of([link!, `${first}&cursor=${nextCursor}`]);
    }
    return seen;
  }

  /** Nothing twice, in order, everything that was there, and every filter holds. */
  function check(seen: readonly Item[], ranks: ReadonlyMap<string, number>, before: readonly Item[], filter: Filter): void {
    const places = seen.map(({ id }) => ranks.get(id)!);
    expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
    const ids = new Set(seen.map(({ id }) => id));
    const holds = (item: Item) => Object.entries(filter).every(([name, value]) => item[name as keyof Item] === value);
    expect(before.filter((item) => holds(item) && !ids.has(item.id))).toEqual([]);
    expect(seen.filter((item) => !holds(item))).toEqual([]);
  }

  async function ranksOf(sql: string): Promise<Map<string, number>> {
    const { rows } = await client.query<Item>(sql);
    return new Map(rows.map(({ id }, index) => [id, index]));
  }

  it.each(SEEDS)('have every order that was there, once, newest first, and all of the filter (seed %d)', async (seed) => {
    const dice = new Dice(seed);
    const customers = Array.from({ length: 3 }, () => `customer-${++names}`);
    const size = dice.of([0, 1, 7, 25]);
    await Promise.all(Array.from({ length: size }, () => place(dice, dice.of(customers))));
    await settle();
    const customerId = dice.of(customers);
    for (const filter of [{}, { customerId }, { status: 'rejected' }, { status: 'confirmed', customerId }] as Filter[]) {
      const before = [...orders];
      let added = 0;
      const seen = await readAll(dice, '/v1/orders', filter, async () => {
        // Not for ever: with one order to a page they would grow as fast as they are read.
        if (added++ < 8) await Promise.all([place(dice, dice.of(customers)), ...(orders.length > 0 ? [commitLate(dice)] : [])]);
      });
      await settle();
      check(seen, await ranksOf('select id from ordering.orders order by id desc'), before, filter);
    }
  });

  it.each(SEEDS)('have every product that was there, once and by id (seed %d)', async (seed) => {
    const dice = new Dice(seed);
    const letters = [...'ABCXYZabcxyz0189._-'];
    const name = () => Array.from({ length: 1 + dice.below(5) }, () => dice.of(letters)).join('') + `.${++names}`;
    await Promise.all(Array.from({ length: dice.of([0, 1, 9, 60]) }, () => register(name())));
    const before = (await client.query<Item>('select id from inventory.products')).rows;
    let added = 0;
    const seen = await readAll(dice, '/v1/products', {}, async () => {
      if (added++ < 20) await Promise.all([register(name()), register(name())]);
    });
    check(seen, await ranksOf('select id from inventory.products order by id'), before, {});
  });
});
