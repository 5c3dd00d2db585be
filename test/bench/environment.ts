import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { Application, type ApplicationOptions, type Server } from './application.js';
import { Child } from './child.js';
import type { Options } from './options.js';

/** Where a benchmark runs, and what it may leave to be tidied up. */
export class Environment {
  private readonly databases: string[] = [];
  private readonly namespaces: string[] = [];
  private readonly children = new Set<Child>();
  private readonly applications = new Set<Application>();

  constructor(readonly postgresUrl: string, readonly natsUrl: string, private readonly options: Pick<Options, 'scale' | 'profile' | 'minutes' | 'plot'>) {}

  /** 1 for the sizes of the published numbers; less for a quick look. */
  get scale(): number {
    return this.options.scale;
  }

  /** How long a benchmark that has no end of its own goes on. */
  get minutes(): number {
    return this.options.minutes;
  }

  /** Where a plot goes: what was asked for, or a folder of its own outside the repository. */
  plotFile(name: string): string {
    return path.resolve(this.options.plot ?? path.join(mkdtempSync(path.join(tmpdir(), 'nestbox-bench-')), `${name}.svg`));
  }

  /** `count` at this run's scale, at least `least`. */
  size(count: number, least = 100): number {
    return Math.max(least, Math.round(count * this.scale));
  }

  /** An empty database; dropped at the end. */
  async createDatabase(): Promise<string> {
    const name = `nbbench_${randomBytes(6).toString('hex')}`;
    await this.asAdmin((client) => client.query(`create database ${name}`));
    this.databases.push(name);
    const url = new URL(this.postgresUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** A prefix for streams and subjects that nobody else uses; its streams are deleted at the end. */
  createNamespace(): string {
    const namespace = `bench${randomBytes(6).toString('hex')}`;
    this.namespaces.push(namespace);
    return namespace;
  }

  /** Starts a program of this folder in a process of its own. */
  start(program: string): Child {
    const child = Child.start(program, this.options.profile, () => this.children.delete(child));
    this.children.add(child);
    return child;
  }

  /** Starts the real application, as in production. */
  async startApplication(options: Omit<ApplicationOptions, 'profileTo'>): Promise<Application> {
    const application = await Application.start({ ...options, profileTo: this.options.profile });
    this.applications.add(application);
    return application;
  }

  /** Starts a peer that has an HTTP server. */
  async startPeer(program: string, databaseUrl: string): Promise<Server> {
    const child = this.start(program);
    return { url: await child.call<string>('start', { databaseUrl }), headers: {}, usage: () => child.call('usage'), stop: () => child.stop() };
  }

  /** Brings the server's own work to an end, so that every round begins alike. */
  async settle(): Promise<void> {
    await this.asAdmin((client) => client.query('checkpoint'));
  }

  async close(): Promise<void> {
    // After a failure some still run.
    await Promise.allSettled([...this.children, ...this.applications].map((one) => one.stop()));
    await this.asAdmin(async (client) => {
      for (const name of this.databases.splice(0)) await client.query(`drop database if exists ${name} with (force)`);
    });
    await this.deleteStreams(this.namespaces.splice(0));
  }

  async deleteStreams(namespaces: readonly string[]): Promise<void> {
    if (namespaces.length === 0) return;
    const client = await connect({ servers: new URL(this.natsUrl).host });
    const jsm = await jetstreamManager(client);
    const prefixes = namespaces.map((namespace) => namespace.toUpperCase());
    for await (const { config } of jsm.streams.list()) if (prefixes.some((prefix) => config.name.toUpperCase().startsWith(prefix))) await jsm.streams.delete(config.name);
    await client.close();
  }

  private async asAdmin(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
    await withClient(this.postgresUrl, work);
  }
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'nestbox bench' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
