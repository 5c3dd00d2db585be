import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { parse } from 'yaml';
import { build } from '../../scripts/build.ts';
import { projectRoot } from '../../scripts/project.ts';
import { Api } from './api.ts';
import { createNatsNamespace, type NatsNamespace } from './nats-namespace.ts';
import { ServiceProcess } from './service-process.ts';

/** How the application runs. Tests that are the same in all of them do not look. */
export const MODES = ['in-process', 'nats', 'split'] as const;
export type Mode = (typeof MODES)[number];

/** Lets the tests in under `/admin`. */
export const ADMIN_TOKEN = 'the-token-of-the-tests';

/** What processes of one system need to believe each other, and their callers. */
export function newSecrets(): Readonly<Record<string, string>> {
  return { SERVICE_KEY: randomBytes(32).toString('base64'), DEV_ISSUER: 'true' };
}

interface Topology {
  readonly services: Readonly<Record<string, { readonly contexts: readonly string[]; readonly instances?: number }>>;
}

/** The application as it is shipped: built, in processes of its own, on an empty database. */
export class RunningApp {
  readonly api: Api;

  private constructor(
    readonly mode: Mode,
    readonly services: ServiceProcess[],
    readonly database: TestDatabase,
    private readonly nats: NatsNamespace | undefined,
    private readonly settings: Readonly<Record<string, string>>,
  ) {
    this.api = new Api(services[0]!.url);
  }

  static async start(mode: Mode, settings: Readonly<Record<string, string>> = {}): Promise<RunningApp> {
    if (!build()) throw new Error('The sources do not compile; there is no application to test.');
    const nats = mode === 'in-process' ? undefined : createNatsNamespace();
    const database = await createTestDatabase();
    const all = { ...database.env, ...newSecrets(), LOG_LEVEL: 'warn', ADMIN_TOKEN, ...(nats && { NATS_URL: nats.url, NATS_NAMESPACE: nats.name }), ...settings };
    const starting = await Promise.allSettled(servicesOf(mode).map((service) => ServiceProcess.start(service, environmentOf(service, all))));
    const services = starting.flatMap((started) => (started.status === 'fulfilled' ? [started.value] : []));
    const failure = starting.find((started) => started.status === 'rejected');
    if (!failure) return new RunningApp(mode, services, database, nats, all);
    for (const service of services) await service.kill('SIGKILL');
    await nats?.drop();
    await database.drop();
    throw failure.reason;
  }

  get url(): string {
    return this.api.url;
  }

  /** The processes of a service that were started, also those that are not running any more. */
  processesOf(service: string): ServiceProcess[] {
    return this.services.filter(({ name }) => name === service);
  }

  /** Starts one more process of a service. */
  async startService(service: string): Promise<ServiceProcess> {
    const started = await ServiceProcess.start(service, environmentOf(service, this.settings));
    this.services.push(started);
    return started;
  }

  /** What a command line beside the application needs to work on the same data. */
  get cliEnvironment(): Readonly<Record<string, string>> {
    return this.settings;
  }

  /** Ends everything. @throws when a process did not end cleanly, or has left connections or foreign streams behind */
  async stop(): Promise<void> {
    const stopped = await Promise.allSettled(this.services.map((service) => service.stop()));
    const streams = (await this.nats?.drop()) ?? [];
    await this.database.drop();
    const failure = stopped.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
    // Also the proof that the events did go through NATS.
    const expected = this.nats ? ['billing', 'inventory', 'ordering'].map((context) => `${this.nats!.name.toUpperCase()}_EVT_${context}`) : [];
    const missing = expected.filter((name) => !streams.includes(name));
    if (missing.length > 0) throw new Error(`In mode ${this.mode} these streams should have existed: ${missing.join(', ')}; there were: ${streams.join(', ') || 'none'}.`);
  }
}

/** The services of a mode, an entry per process; the one that serves the API is first. */
export function servicesOf(mode: Mode): string[] {
  if (mode === 'in-process') return ['all'];
  if (mode === 'nats') return ['all-nats'];
  const { services } = parse(readFileSync(path.join(projectRoot, 'topology.yaml'), 'utf8')) as Topology;
  const contexts = new Set(Object.values(services).flatMap((service) => service.contexts));
  const parts = Object.entries(services).filter(([, service]) => service.contexts.length < contexts.size);
  const processes = parts.flatMap(([name, { instances = 1 }]) => Array.from({ length: instances }, () => name));
  return processes.toSorted((a, b) => Number(b === 'gateway') - Number(a === 'gateway'));
}

export function environmentOf(service: string, settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { DATABASE_URL: database, ...others } = settings;
  // The gateway owns no context. It gets no database, so it cannot use one.
  return { ...others, SERVICE: service, ...(service !== 'gateway' && database !== undefined && { DATABASE_URL: database }) };
}
