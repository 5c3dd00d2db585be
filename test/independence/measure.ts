// What the readers of quiet tenants notice of somebody else's trouble: from the commit of an event to its effect, with
// and without a fault, one after the other on the same machine. `npm run independence -- [seconds] [scenario …]`
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { MessagingModule, messagingSettings } from '@nestbox/messaging';
import { readSettings } from '@nestbox/ops';
import { PersistenceModule } from '@nestbox/persistence';
import pg from 'pg';
import { read } from './books.ts';
import { MeterModule } from './contexts.ts';
import { Instances } from './instances.ts';
import { connect, dropStreams } from './streams.ts';

const QUIET = Array.from({ length: 10 }, (_, index) => `quiet${index}`);
/** Readings of all quiet tenants together; the flood is so many times one tenant's share of them. */
const PER_SECOND = 50;
const FLOOD_TIMES = 100;
/** After so long an event counts as lost. */
const PATIENCE_MS = 60_000;

/** The publisher, in this process: nothing that goes wrong with the subscribers slows it. */
interface Publisher {
  readonly commands: CommandBus;
  /** What its subscribers are told. */
  readonly env: Readonly<Record<string, string>>;
  readonly client: pg.Client;
  stop(): Promise<void>;
}

interface Scenario {
  readonly name: string;
  /** Does what others should not notice, for `ms`. */
  readonly fault?: (app: Publisher, ms: number) => Promise<unknown>;
  /** How long the handler works on each event besides. */
  readonly workMs?: number;
}

const raise = (deed: Parameters<typeof read>[3]) => (app: Publisher) => read(app, 'culprit', 1, deed, 'culprit');

const scenarios: readonly Scenario[] = [
  { name: 'none' },
  { name: 'throws', fault: raise('throw') },
  { name: 'never-ends', fault: raise('wait 3600000') },
  { name: 'kills', fault: raise('kill') },
  { name: 'blocks-a-minute', fault: raise('block 60000') },
  { name: 'open-transaction', fault: holdOpen },
  { name: 'flood', fault: flood },
  { name: 'none-slow', workMs: 2 },
  { name: 'flood-slow', workMs: 2, fault: flood },
  { name: 'subscriber-down', fault: subscriberDown },
];

const [seconds = '20', ...wanted] = process.argv.slice(2);
console.log(`${QUIET.length} quiet tenants, ${PER_SECOND} events/s together, for ${seconds} s each; two instances of the subscriber. Commit to effect:`);
for (const scenario of wanted.length === 0 ? scenarios : wanted.map((name) => scenarios.find((scenario) => scenario.name === name)!)) {
  const { count, p50, p99, max, missing } = await measure(scenario, Number(seconds) * 1_000);
  console.log(`${scenario.name.padEnd(20)}${String(count).padStart(6)} events  p50 ${p50} ms  p99 ${p99} ms  max ${max} ms${missing > 0 ? `  MISSING ${missing}` : ''}`);
}

async function measure({ fault, workMs = 0 }: Scenario, ms: number) {
  const app = await startPublisher();
  const instances = new Instances({ ...app.env, WORK_MS: String(workMs) });
  try {
    await instances.start(2);
    await raiseQuietly(app, 3_000, 'warm-up');
    const faulty = sleep(500).then(() => fault?.(app, ms));
    await raiseQuietly(app, ms, 'measured');
    await faulty;
    for (const patience = performance.now() + PATIENCE_MS; ; await sleep(500)) {
      const found = await latencies(app);
      if (found.missing === 0 || performance.now() > patience) return found;
    }
  } finally {
    await instances.stop();
    await app.stop();
  }
}

/** One reading after the other at a steady rate, of each tenant's meters in turn. */
async function raiseQuietly(app: Publisher, ms: number, name: string): Promise<void> {
  const started = performance.now();
  const pending: Promise<void>[] = [];
  for (let index = 0; performance.now() - started < ms; index++) {
    const tenant = QUIET[index % QUIET.length]!;
    pending.push(read(app, `${name} ${tenant} ${index % 7}`, 1, 'book', tenant));
    await sleep(Math.max(0, started + ((index + 1) * 1_000) / PER_SECOND - performance.now()));
  }
  await Promise.all(pending);
}

async function latencies(app: Publisher) {
  const { rows } = await app.client.query<{ ms: number | null }>(
    `select extract(epoch from b.at - o.created_at)::float8 * 1000 ms from meter.outbox o
     left join ledger.booking b on b.meter = o.payload->>'meter' and b.value = (o.payload->>'value')::int where o.aggregate_id like 'measured %'`,
  );
  const sorted = rows.flatMap(({ ms }) => (ms === null ? [] : [ms])).toSorted((left, right) => left - right);
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
  return { count: rows.length, missing: rows.length - sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function holdOpen(app: Publisher, ms: number): Promise<void> {
  const open = new pg.Client({ connectionString: app.env['DATABASE_URL']! });
  await open.connect();
  await open.query('begin');
  await open.query('insert into meter.meter values ($1, 0, 1)', ['left open']);
  await sleep(ms);
  await open.query('rollback');
  await open.end();
}

/** One tenant raises so many times more than each of the others. */
async function flood(app: Publisher, ms: number): Promise<void> {
  const perSecond = (PER_SECOND / QUIET.length) * FLOOD_TIMES;
  const end = performance.now() + ms - 1_000;
  for (let index = 0; performance.now() < end; index++) {
    await read(app, `flood ${index % 40}`, perSecond / 20, 'book', 'loud');
    await sleep(50);
  }
}

/** Another subscriber's only process dies, comes back and catches up. */
async function subscriberDown(app: Publisher, ms: number): Promise<void> {
  const audits = new Instances({ ...app.env, SUBSCRIBER: 'audit' });
  await audits.start(1);
  await audits.stop();
  await sleep(ms / 2);
  const again = new Instances({ ...app.env, SUBSCRIBER: 'audit' });
  await again.start(1);
  await sleep(ms / 4);
  await again.stop();
}

async function startPublisher(): Promise<Publisher> {
  const server = new URL(process.env['TEST_POSTGRES_URL'] ?? '');
  const name = `nbindependence_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: server.href });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const env = { DATABASE_URL: url, NATS_URL: process.env['TEST_NATS_URL'] ?? '', NATS_NAMESPACE: name };
  const [settings] = readSettings(env, messagingSettings);
  const application = {
    module: class Application {},
    imports: [
      PersistenceModule.forRoot({ urlOf: () => url, migrate: true }),
      MessagingModule.forRoot({ access: 'open', topology: { service: 'meter', contexts: ['meter'], entrypoints: [], events: 'nats', instances: 1 }, settings }),
      MeterModule,
    ],
  };
  const app = await NestFactory.createApplicationContext(application, { logger: ['error'], abortOnError: false });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const stop = async () => {
    await client.end();
    await app.close();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
    const nats = await connect();
    await dropStreams(nats, name);
    await nats.close();
  };
  return { commands: app.get(CommandBus), env, client, stop };
}
