import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Wish } from '../proof/subject.ts';
import { SubjectProcess } from '../proof/subject-process.ts';

/** How many processes each service has. */
export const INSTANCES = 3;

/** The services, and who takes the commands: one service with every context, or one for each behind a gateway. */
export const DEPLOYMENTS = {
  together: { services: ['all'], entrance: 'all' },
  split: { services: ['shop', 'desk', 'audit'], entrance: 'gateway' },
} as const;
export type Deployment = (typeof DEPLOYMENTS)[keyof typeof DEPLOYMENTS];

/** Commands a second while there is load. */
const RATE = 30;
const TENANTS = 8;
const BASKETS = 5;

/** Three processes of each service, a gateway if they need one, and somebody who uses them. */
export class Services {
  /** The highest step of each basket that a command was answered with. */
  readonly acknowledged = new Map<string, number>();
  readonly running = new Map<string, SubjectProcess[]>();
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'instances-'));
  private readonly inFlight = new Set<Promise<void>>();
  private readonly env: Readonly<Record<string, string>>;
  private load: NodeJS.Timeout | undefined;
  private sent = 0;
  private readonly deployment: Deployment;

  constructor(deployment: Deployment, env: Readonly<Record<string, string>>) {
    this.deployment = deployment;
    this.env = env;
  }

  /** Starts everything and waits until it works. */
  async start(): Promise<void> {
    const { services, entrance } = this.deployment;
    await Promise.all([...new Set([...services, entrance])].map((role) => this.add(role)));
    await Promise.all(services.flatMap((service) => Array.from({ length: INSTANCES - 1 }, () => this.add(service))));
  }

  /** Starts one more process of a service. */
  async add(service: string): Promise<void> {
    const started = new SubjectProcess({ env: { ...this.env, ROLE: service, EVENTS: 'nats', NO_COLOR: '1' }, log: this.logOf(service) });
    this.running.set(service, [...(this.running.get(service) ?? []), started]);
    if (!(await started.ready())) throw new Error(`"${service}" ended while it started. The last lines of its log:\n${readFileSync(this.logOf(service), 'utf8').slice(-2_000)}`);
  }

  /** Kills one process of a service. */
  async kill(service: string): Promise<SubjectProcess> {
    const victim = this.running.get(service)!.shift()!;
    await victim.kill();
    return victim;
  }

  /** Ends the process of a service that has run for longest, as a deployment does, and starts another one. */
  async replace(service: string): Promise<void> {
    const oldest = this.running.get(service)!.shift()!;
    oldest.signal('SIGTERM');
    await oldest.over;
    await this.add(service);
  }

  /** Sends commands at a steady rate, until the load is ended. */
  beginLoad(): void {
    this.load ??= setInterval(() => this.send(), 1_000 / RATE);
  }

  /** Sends no more, and waits for the answers. */
  async endLoad(): Promise<void> {
    clearInterval(this.load);
    this.load = undefined;
    await Promise.all(this.inFlight);
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    clearInterval(this.load);
    const all = [...this.running.values()].flat();
    for (const child of all) child.signal('SIGTERM');
    await Promise.all(all.map((child) => child.over));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private logOf(role: string): string {
    return path.join(this.folder, `${role}.log`);
  }

  private send(): void {
    const number = this.sent++;
    const tenant = `t${number % TENANTS}`;
    const basket = `${tenant}-b${Math.floor(number / TENANTS) % BASKETS}`;
    const wish: Omit<Wish, 'id'> = { tenant, basket, times: 1 + (number % 2), manner: 'plain' };
    const entrances = this.running.get(this.deployment.entrance)!;
    const asked = entrances[number % entrances.length]!.ask(wish).then((steps) => {
      if (steps !== undefined) this.acknowledged.set(basket, Math.max(steps, this.acknowledged.get(basket) ?? 0));
    });
    this.inFlight.add(asked);
    void asked.finally(() => this.inFlight.delete(asked));
  }
}
