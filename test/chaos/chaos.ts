import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { SubjectProcess } from '../proof/subject-process.ts';
import type { Answers } from '../proof/answers.ts';
import { isClean, judge, type Verdict } from '../proof/verdict.ts';
import { Cast } from './cast.ts';
import { Faults } from './faults.ts';
import { type FaultKind, type Mode, scheduleOf } from './schedule.ts';
import { type Server, startNats, startPostgres } from './servers.ts';
import { StallWatch } from './stall-watch.ts';
import { Workload } from './workload.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly mode: Mode;
  /** Default: every kind. */
  readonly only?: readonly FaultKind[];
  /** Where data and logs are; removed when nothing was found. */
  readonly folder: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** What a run has seen. Times in ms. */
export interface ChaosReport {
  readonly seed: number;
  readonly mode: Mode;
  readonly minutes: number;
  readonly commands: number;
  readonly acknowledged: number;
  readonly events: number;
  readonly effects: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly uncaused: number;
  /** Commands that were answered, and of which nothing was kept. */
  readonly unacknowledged: number;
  /** The longest time in which nothing was handled although something was to be, outages included. */
  readonly longestStallMs: number;
  /** From the last mended fault until every effect was there. */
  readonly drainMs: number;
  /** The first breaks, in words. */
  readonly breaks: readonly string[];
}

const COMMANDS_PER_SECOND = 60;
/** How long effects may take after everything was mended: retries back off for up to a minute. In ms. */
const DRAIN_PATIENCE = 90_000;
const DATABASE = 'chaos';

/** Runs the application while a seeded schedule breaks it, mends everything, and judges by causes and effects alone. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, minutes, mode, folder, log, signal } = options;
  mkdirSync(folder, { recursive: true });
  const started: Server[] = [];
  let cast: Cast | undefined;
  try {
    const postgres = await startPostgres(path.join(folder, 'postgres'));
    started.push(postgres);
    const nats = mode === 'in-process' ? undefined : await startNats(path.join(folder, 'nats'));
    if (nats) started.push(nats);
    await onServer(postgres.directUrl, `create database ${DATABASE}`);
    const env = { DATABASE_URL: withDatabase(postgres.url), NATS_URL: nats?.url ?? '', NATS_NAMESPACE: 'chaos', EVENTS: mode === 'in-process' ? mode : 'nats', NO_COLOR: '1' };
    cast = new Cast(mode, (role) => new SubjectProcess({ env: { ...env, ROLE: role }, log: path.join(folder, `${role}.log`) }));
    await cast.ready();

    const directUrl = withDatabase(postgres.directUrl);
    const watch = new StallWatch(directUrl, log);
    const workload = new Workload(cast, COMMANDS_PER_SECOND);
    const faults = new Faults({ cast, postgres, nats, database: DATABASE });
    await play(scheduleOf(seed, minutes * 60_000, mode, options.only), minutes * 60_000, (fault) => {
      log(`${(fault.at / 1_000).toFixed(1).padStart(7)} s  ${fault.kind}${fault.lasts ? ` for ${(fault.lasts / 1_000).toFixed(1)} s` : ''}`);
      faults.begin(fault);
    }, signal);
    await faults.over();
    await cast.ready();
    log('Everything is mended.');
    const mended = performance.now();
    await answersAgain(workload.answers, signal);
    await workload.stop();
    const { answers } = workload;
    const verdict = await drained(directUrl, answers, signal);
    const drainMs = Math.round(performance.now() - mended);
    const { longestMs, events, effects } = await watch.stop();
    // Whoever stops must have nothing in progress, and nothing may come late or twice.
    await cast.stop();
    const last = isClean(verdict) ? await withClient(directUrl, (client) => verdictOf(client, answers)) : verdict;
    const { lost, doubled, reordered, uncaused, unacknowledged } = last;
    return {
      seed, mode, minutes, commands: workload.sent, acknowledged: answers.count, events, effects, faults: Object.fromEntries(faults.happened),
      lost: lost.length, doubled: doubled.length, reordered: reordered.length, uncaused: uncaused.length, unacknowledged: unacknowledged.length,
      longestStallMs: longestMs, drainMs, breaks: Object.entries(last).flatMap(([kind, lines]: [string, string[]]) => lines.slice(0, 5).map((line) => `${kind}: ${line}`)),
    };
  } finally {
    await cast?.kill();
    for (const server of started) await server.close();
    for (const data of ['postgres', 'nats']) rmSync(path.join(folder, data), { recursive: true, force: true });
  }
}

async function play<T extends { readonly at: number }>(schedule: readonly T[], lengthMs: number, begin: (item: T) => void, signal?: AbortSignal): Promise<void> {
  const start = performance.now();
  const until = async (at: number) => {
    while (performance.now() - start < at) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(200, at - (performance.now() - start)))));
    }
  };
  for (const item of schedule) {
    await until(item.at);
    begin(item);
  }
  await until(lengthMs);
}

/** Waits until a command is answered. @throws when none is, although everything is mended */
async function answersAgain(answers: Answers, signal?: AbortSignal): Promise<void> {
  const before = answers.count;
  for (const patience = performance.now() + DRAIN_PATIENCE; answers.count === before; ) {
    signal?.throwIfAborted();
    if (performance.now() > patience) throw new Error(`Everything is mended, but for ${DRAIN_PATIENCE / 1_000} s no command was answered.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits for the effects; what failed for good is asked for again, as a person would. The last verdict if they do not come. */
async function drained(url: string, answers: Answers, signal?: AbortSignal): Promise<Verdict> {
  const patience = performance.now() + DRAIN_PATIENCE;
  return withClient(url, async (client) => {
    for (;;) {
      signal?.throwIfAborted();
      for (const schema of ['desk', 'audit']) await client.query(`update ${schema}.trouble set request = 'replay', asked = asked + 1 where state = 'dead' and request is null`);
      const verdict = await verdictOf(client, answers);
      if (isClean(verdict) || performance.now() > patience) return verdict;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
}

async function verdictOf(client: pg.Client, { highest, contradictions }: Answers): Promise<Verdict> {
  const verdict = await judge(client, highest);
  return { ...verdict, unacknowledged: [...verdict.unacknowledged, ...contradictions] };
}

function withDatabase(url: string): string {
  const address = new URL(url);
  address.pathname = `/${DATABASE}`;
  return address.href;
}

async function onServer(url: string, statement: string): Promise<void> {
  await withClient(url, (client) => client.query(statement));
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'chaos judge' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
