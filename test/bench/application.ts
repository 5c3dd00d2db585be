import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

export const projectRoot = path.join(import.meta.dirname, '..', '..', '..');
const READY_WITHIN_MS = 60_000;
const ISSUER = { JWT_ISSUER: 'https://login.example.com/', JWT_AUDIENCE: 'nestbox', JWT_ALGORITHMS: 'RS256' };
const PERMISSIONS = ['ordering', 'inventory', 'billing', 'reporting'].flatMap((context) => [`${context}:read`, `${context}:write`]);

/** The publishing context with the API; what handles its events is not there. NATS takes the events. */
const ORDERING_ALONE = 'services: { ordering: { contexts: [ordering], entrypoints: [http] }, others: { contexts: [inventory, billing, reporting] } }\n';

/** What requests are sent to. */
export interface Server {
  readonly url: string;
  /** What every request has to say. */
  readonly headers: Readonly<Record<string, string>>;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

/** What a process has used so far. */
export interface Usage {
  readonly cpuMs: number;
  readonly rss: number;
}

export interface ApplicationOptions {
  readonly databaseUrl: string;
  /** Given: only the context `ordering`, its events go to NATS. Else all contexts, in one process, without a broker. */
  readonly alone?: { readonly natsUrl: string; readonly namespace: string };
  /** Folder for a CPU profile of the process. */
  readonly profileTo?: string | undefined;
}

/** The built application in a process of its own, as it runs in production, with everything that it has switched on. */
export class Application implements Server {
  readonly headers: Readonly<Record<string, string>>;

  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
    privateKey: KeyObject,
  ) {
    this.headers = { authorization: `Bearer ${token(privateKey)}` };
  }

  /** @throws when it ends before it is ready, or is not in time; it has printed why */
  static async start({ databaseUrl, alone, profileTo }: ApplicationOptions): Promise<Application> {
    const folder = mkdtempSync(path.join(tmpdir(), 'nestbox-bench-'));
    const topology = path.join(folder, 'topology.yaml');
    writeFileSync(topology, ORDERING_ALONE);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const port = await freePort();
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port),
      ...ISSUER, JWT_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      SERVICE_KEY: randomBytes(32).toString('base64'), ADMIN_TOKEN: randomBytes(24).toString('base64'),
      DATABASE_URL: databaseUrl,
      // It still counts; it only never refuses.
      RATE_LIMIT_PER_MINUTE: '100000000',
      ...(alone ? { SERVICE: 'ordering', TOPOLOGY_FILE: topology, NATS_URL: alone.natsUrl, NATS_NAMESPACE: alone.namespace } : { TOPOLOGY_FILE: path.join(projectRoot, 'topology.yaml') }),
    };
    const preload = pathToFileURL(path.join(projectRoot, 'scripts', 'die-with-parent.mjs')).href;
    const profiling = profileTo === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profileTo)}`];
    // In a folder without a developer's .env. Its log lines are written, to nowhere.
    const child = spawn(process.execPath, [...profiling, '--import', preload, path.join(projectRoot, 'dist', 'main.js')], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve())).then(() => rmSync(folder, { recursive: true, force: true }));
    const application = new Application(`http://127.0.0.1:${port}`, child, ended, privateKey);
    await application.ready();
    return application;
  }

  get pid(): number {
    return this.child.pid!;
  }

  async usage(): Promise<Usage> {
    const metrics = await this.metrics();
    return { cpuMs: metrics.get('process_cpu_seconds_total')! * 1_000, rss: metrics.get('process_resident_memory_bytes')! };
  }

  /** What it says of itself: the metrics without labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return new Map(Array.from(text.matchAll(/^(\w+) (\S+)$/gm), ([, name, value]) => [name!, Number(value)]));
  }

  /** One request of the API. @throws unless it is answered as it should be */
  async call<T>(method: string, path: string, status: number, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, { method, headers: { ...this.headers, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
    if (answer.status !== status) throw new Error(`${method} ${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGTERM');
    await this.ended;
    if (this.child.exitCode !== 0) throw new Error(`The application ended with ${this.child.signalCode ?? this.child.exitCode} when it was asked to stop.`);
  }

  private async ready(): Promise<void> {
    for (const patience = performance.now() + READY_WITHIN_MS; ; await sleep(20)) {
      const { ok } = await fetch(`${this.url}/health/ready`).catch(() => ({ ok: false }));
      if (ok) return;
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`The application ended with ${this.child.signalCode ?? this.child.exitCode} before it was ready: see above.`);
      if (performance.now() < patience) continue;
      this.child.kill('SIGKILL');
      throw new Error(`The application was not ready after ${READY_WITHIN_MS / 1_000} s.`);
    }
  }
}

/** A token that its issuer might have issued. */
function token(key: KeyObject): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = { iss: ISSUER.JWT_ISSUER, aud: ISSUER.JWT_AUDIENCE, sub: 'ada', tenant: 'default', permissions: PERMISSIONS, exp: Math.floor(Date.now() / 1_000) + 86_400 };
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

/** A port of the loopback address that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
