import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { uuidv7 } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { expect } from 'vitest';
import { brokenEvent } from '../../../src/admin/broken-event.spec.ts';
import { createApplication } from '../../../src/core/application.ts';
import { callerHeaders, developerSettings } from '../../../src/core/developer.spec.ts';
import type { Operation } from './document.ts';
import type { BaseRequest, HttpRequest } from './requests.ts';

const ADMIN_TOKEN = 'a-token-of-this-test-alone';
const PRODUCT = 'queso-cabrales';
const LINES = [{ productId: PRODUCT, quantity: 1, unitPrice: 1_400 }];

/** What an operation answered. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The application on a database of its own, with what the examples of its document refer to. */
export class World {
  private used = 0;
  private order = '';
  private event = '';
  private tables: readonly string[] = [];

  private constructor(
    private readonly database: TestDatabase,
    private readonly app: NestFastifyApplication,
    private readonly client: pg.Client,
    private readonly caller: Record<string, string>,
  ) {}

  static async start(): Promise<World> {
    const database = await createTestDatabase();
    const { app } = await createApplication({ ...database.env, ...developerSettings, LOG_LEVEL: 'silent', ADMIN_TOKEN, RATE_LIMIT_PER_MINUTE: '0' });
    await app.init();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const world = new World(database, app, client, await callerHeaders(app));
    await world.fill();
    return world;
  }

  async stop(): Promise<void> {
    await this.client.end();
    await this.app.close();
    await this.database.drop();
  }

  async document(): Promise<object> {
    return (await this.app.inject('/docs-json')).json<object>();
  }

  /** What every request of a caller has who may do everything. */
  callerHeaders(path: string): Record<string, string> {
    return path.startsWith('/admin/') ? { authorization: `Bearer ${ADMIN_TOKEN}` } : this.caller;
  }

  /** The document's own example of a request, with ids of things that are there, and with new names for new things. */
  baseOf({ name, path, parameters, bodyExamples: [example] }: Operation): BaseRequest {
    const fields = example as Record<string, unknown> | undefined;
    const own: Readonly<Record<string, object>> = {
      'post /v1/products': { id: `product-${++this.used}` },
      'post /v1/orders': { reference: `PO-${++this.used}` },
      'post /admin/trouble/edit': { event: this.event },
      'post /admin/readers/{reader}/reset': { repeatEffects: true, discardTrouble: true },
      'post /admin/readers/{reader}/rewind': { from: 1, discardTrouble: true },
    };
    const ids: Readonly<Record<string, string>> = { 'get /admin/trace/{id}': this.event };
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => {
      const given = ids[name] ?? (path.startsWith('/v1/orders/') ? this.order : undefined) ?? parameter.example ?? parameter.schema?.example ?? parameter.schema?.examples?.[0];
      return [parameter.name, String(given)] as const;
    });
    return { path: Object.fromEntries(inPath), query: {}, headers: this.callerHeaders(path), ...(fields && { body: { ...fields, ...own[name] } }) };
  }

  async send({ method, url, headers, payload }: HttpRequest): Promise<Answer> {
    const answer = await this.app.inject({ method: method as 'GET', url, headers, ...(payload !== undefined && { payload }) });
    return { status: answer.statusCode, contentType: String(answer.headers['content-type'] ?? ''), body: answer.body };
  }

  /** The tables of the contexts, as an answer must not name them. */
  get tableNames(): readonly string[] {
    return this.tables;
  }

  /** Changes with every row of a business table or an outbox that is written, changed or removed. */
  async fingerprint(): Promise<string> {
    const parts = this.tables.map((table) => `select '${table}' name, count(*) rows, coalesce(sum(xmin::text::bigint), 0) versions from ${table}`);
    const { rows } = await this.client.query<{ name: string; rows: string; versions: string }>(parts.join(' union all '));
    return rows.map(({ name, rows: count, versions }) => `${name}: ${count} rows, ${versions}`).join('\n');
  }

  /** Waits until everything that was committed, and what that leads to, is handled or in trouble. */
  async settled(): Promise<void> {
    const headers = this.callerHeaders('/admin/');
    const read = async <T>(url: string) => (await this.app.inject({ url, headers })).json<{ items: T[] }>().items;
    const isSettled = async () => {
      const before = await this.fingerprint();
      const waiting = await read('/admin/outbox?state=NEW');
      const behind = (await read<{ behind: number | null; heldBack: number }>('/admin/readers')).filter((reader) => reader.behind !== 0 || reader.heldBack > 0);
      return waiting.length === 0 && behind.length === 0 && before === (await this.fingerprint());
    };
    while (!(await isSettled())) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  private async fill(): Promise<void> {
    const { rows } = await this.client.query<{ name: string; schema: string; table: string }>(
      `select format('%I.%I', schemaname, tablename) name, schemaname schema, tablename as table from pg_tables where schemaname in ('ordering', 'inventory', 'billing', 'reporting') and tablename !~ '_p\\d+$'`,
    );
    // What every context has belongs to the engine, which writes all the time.
    const contextsOf = Map.groupBy(rows, ({ table }) => table);
    this.tables = rows.filter(({ table }) => table === 'outbox' || contextsOf.get(table)!.length < 4).map(({ name }) => name);
    await this.create('/v1/products', { id: PRODUCT, name: 'Queso Cabrales' });
    await this.create(`/v1/products/${PRODUCT}/receipts`, { quantity: 1_000_000 });
    // Whether the cancellation or the confirmation is first is nobody's to say.
    for (let cancelled = false; !cancelled; ) {
      this.order = (await this.create('/v1/orders', { customerId: 'VINET', lines: LINES })).id;
      cancelled = (await this.app.inject({ method: 'POST', url: `/v1/orders/${this.order}/cancel`, headers: this.caller })).statusCode === 200;
    }
    this.event = await brokenEvent(this.database.url, uuidv7());
    await this.settled();
  }

  private async create(url: string, payload: object): Promise<{ id: string }> {
    const answer = await this.app.inject({ method: 'POST', url, headers: this.caller, payload });
    expect(answer.statusCode, answer.body).toBeLessThan(300);
    return answer.json<{ id: string }>();
  }
}
