import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoggerService } from '@nestjs/common';
import type { StoredEvent } from '../envelope.js';
import type { RelayLog } from '../relay-log.js';
import type { LanePosition } from '../source.js';
import { NatsConnection } from './connection.js';
import { Subjects } from './subjects.js';

/** The shared server of the tests; `npm test` sets the variable. */
export const NATS_URL = namedServer();

export class Recorded implements LoggerService {
  readonly lines: string[] = [];
  log = (line: string) => void this.lines.push(`log ${line}`);
  warn = (line: string) => void this.lines.push(`warn ${line}`);
  error = (line: string) => void this.lines.push(`error ${line}`);
  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }
}

/** Subjects and streams that no other test has, in a server that tests share. */
export function ownSubjects(): Subjects {
  return new Subjects(`nbtest_${randomBytes(5).toString('hex')}`);
}

export async function connectTo(url = NATS_URL): Promise<NatsConnection> {
  const connection = new NatsConnection({ url, logger: new Recorded() });
  await connection.start();
  return connection;
}

export async function dropStreams(connection: NatsConnection, subjects: Subjects): Promise<void> {
  for await (const info of connection.jsm.streams.list()) {
    if (info.config.name.startsWith(`${subjects.namespace.toUpperCase()}_`)) await connection.jsm.streams.delete(info.config.name);
  }
}

/** Waits until `condition` holds. The limit only stops a test that would never end. */
export async function until(condition: () => boolean | Promise<boolean>, what = condition.toString()): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`This never became true: ${what}`);
}

/** A NATS server of one test, which may stop and start it. */
export class OwnServer {
  private process: ChildProcess | undefined;
  private constructor(
    readonly port: number,
    readonly folder: string,
  ) {}

  static async prepare(): Promise<OwnServer> {
    return new OwnServer(await freePort(), mkdtempSync(join(tmpdir(), 'nestbox-nats-')));
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  start(...more: string[]): void {
    this.startPlain('-js', '-sd', this.folder, ...more);
  }

  /** Without JetStream. */
  startPlain(...more: string[]): void {
    this.process = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(this.port), ...more], { stdio: 'ignore' });
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const stopped = this.process;
    this.process = undefined;
    if (!stopped || stopped.exitCode !== null) return;
    const exit = new Promise((resolve) => stopped.once('exit', resolve));
    stopped.kill(signal);
    await exit;
  }

  /** It keeps its connections, and answers nothing until it is stopped. */
  freeze(): void {
    this.process?.kill('SIGSTOP');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
export function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Events of a context as its log would number them, over `lanes` lanes in a fixed pattern. */
export function someEvents(count: number, { lanes = 4, context = 'ordering', first = 1 } = {}): StoredEvent[] {
  const heads = Array.from({ length: lanes }, () => 0);
  const events: StoredEvent[] = [];
  for (let n = 1; n < first + count; n++) {
    const lane = (n * 7 + (n >> 2)) % lanes;
    const prev = heads[lane]!;
    heads[lane] = n;
    if (n < first) continue;
    events.push({
      n,
      prev,
      lane,
      id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`,
      tenantId: 'acme',
      aggregateType: `${context}.order`,
      aggregateId: `order-${lane}`,
      aggregateVersion: n,
      type: `${context}.order-placed`,
      schemaVersion: 1,
      payload: { n },
      headers: { correlationId: `c-${n}` },
      createdAt: '2026-11-21T07:00:00.000Z',
    });
  }
  return events;
}

/** Who holds the relay's lease; shared by the logs of several processes. */
export interface Lease {
  owner: object | undefined;
}

/** A log in memory: rows, and a lease that a test can take away. */
export class MemoryLog implements RelayLog {
  readonly context = 'ordering';
  readonly reads: number[] = [];
  noted = 0;
  /** Numbers of the events that NATS would not take. */
  readonly refusals = new Set<number>();
  private readonly listeners = new Set<() => void>();
  /** A paused process does not know that it lost the lease. */
  believesToOwn: boolean | undefined;

  constructor(
    readonly rows: StoredEvent[] = [],
    private readonly lease: Lease = { owner: undefined },
  ) {}

  append(...events: StoredEvent[]): void {
    this.rows.push(...events);
    for (const listener of this.listeners) listener();
  }

  async read(after: number, limit: number): Promise<StoredEvent[]> {
    this.reads.push(after);
    const start = this.rows.findIndex((row) => row.n > after);
    return start < 0 ? [] : this.rows.slice(start, start + limit);
  }

  async followed(positions: readonly LanePosition[]): Promise<LanePosition[]> {
    return positions.filter(({ lane, n }) => (this.rows.find((row) => row.lane === lane && row.n > n)?.prev ?? n + 1) <= n);
  }

  async gave(n: number): Promise<boolean> {
    return n < (this.rows[0]?.n ?? 1) || this.rows.some((row) => row.n === n);
  }

  async acquire(): Promise<boolean> {
    this.lease.owner ??= this;
    return this.owned();
  }

  owned(): boolean {
    return this.believesToOwn ?? this.lease.owner === this;
  }

  async release(): Promise<void> {
    if (this.lease.owner === this) this.lease.owner = undefined;
  }

  async note(n: number): Promise<void> {
    this.noted = n;
  }

  async refused(event: StoredEvent): Promise<void> {
    this.refusals.add(event.n);
  }

  async resumed(n: number): Promise<void> {
    for (const refused of this.refusals) if (refused > n) this.refusals.delete(refused);
  }

  onWake(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

function namedServer(): string {
  const url = process.env['TEST_NATS_URL'];
  if (!url) throw new Error('TEST_NATS_URL is not set. Run the tests with `npm test`, which finds or starts a NATS and sets it.');
  return url;
}
