import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers as newHeaders } from '@nats-io/transport-node';
import pg from 'pg';
import type { Actor, Cast } from './cast.ts';
import type { Fault, FaultKind } from './schedule.ts';
import type { Server } from './servers.ts';
import { within } from './within.ts';

/** What faults can be done to. */
export interface Scene {
  readonly cast: Cast;
  readonly postgres: Server;
  readonly nats: Server | undefined;
  /** Connections of the application have this database, those of the judge another name. */
  readonly database: string;
}

/** How slow a slow connection is, per packet. */
const SLOW_MS = 40;
/** Streams are refilled with what the outbox has: a broker that is asked must answer within this time, in ms. */
const BROKER_TIMEOUT = 2_000;
/** A graceful stop waits for what is in progress, all of which has a limit of its own. In ms. */
const STOPS_WITHIN = 60_000;

/** Makes faults happen. Those that meet the same server follow one another. */
export class Faults {
  /** How many of each kind have happened. */
  readonly happened = new Map<FaultKind, number>();
  private readonly scene: Scene;
  private readonly queues = new Map<unknown, Promise<void>>();

  constructor(scene: Scene) {
    this.scene = scene;
  }

  /** Begins a fault; what it has broken is mended by itself after its time. */
  begin(fault: Fault): void {
    const [target, work] = this.plan(fault);
    const before = this.queues.get(target) ?? Promise.resolve();
    const done = before.then(work).then(() => void this.happened.set(fault.kind, (this.happened.get(fault.kind) ?? 0) + 1));
    // What could not be mended is reported at the end.
    done.catch(() => undefined);
    this.queues.set(target, done);
  }

  /** Waits until everything is mended. @throws when something cannot be, such as a process that does not stop */
  async over(): Promise<void> {
    await Promise.all(this.queues.values());
  }

  private plan(fault: Fault): [target: unknown, work: () => Promise<void>] {
    const { postgres, nats, cast } = this.scene;
    const { lasts, whom } = fault;
    const actor = cast.actors[Math.floor(whom * cast.actors.length)]!;
    switch (fault.kind) {
      case 'service-kill':
        return [actor, () => this.down(actor, 'SIGKILL', lasts)];
      case 'service-restart':
        return [actor, () => this.down(actor, 'SIGTERM', lasts)];
      case 'service-pause':
        return [actor, () => freeze(actor, lasts)];
      case 'postgres-terminate':
        return [postgres, () => this.terminate(whom)];
      case 'postgres-fast':
        return [postgres, () => restart(postgres, 'orderly', 0)];
      case 'postgres-immediate':
        return [postgres, () => restart(postgres, 'immediate', 0)];
      case 'postgres-away':
        return [postgres, () => restart(postgres, 'orderly', lasts)];
      case 'postgres-slow':
        return [postgres, () => bad(postgres, { kind: 'slow', delayMs: SLOW_MS }, lasts)];
      case 'postgres-hole':
        return [postgres, () => bad(postgres, { kind: 'hole' }, lasts)];
      case 'postgres-forget':
        return [postgres, async () => postgres.proxy.forget()];
      case 'nats-forget':
        return [nats, async () => nats!.proxy.forget()];
      case 'nats-kill':
        return [nats, () => restart(nats!, 'immediate', 0)];
      case 'nats-away':
        return [nats, () => restart(nats!, 'immediate', lasts)];
      case 'nats-hole':
        return [nats, () => bad(nats!, { kind: 'hole' }, lasts)];
      case 'stream-delete':
        return [nats, () => this.onStream(whom, ({ manager, stream }) => manager.streams.delete(stream))];
      case 'stream-purge':
        return [nats, () => this.onStream(whom, ({ manager, stream }) => manager.streams.purge(stream))];
      case 'stream-duplicate':
        return [nats, () => this.inject(whom, 1)];
      case 'stream-stale':
        return [nats, () => this.inject(whom, whom)];
    }
  }

  private async down(actor: Actor, signal: NodeJS.Signals, lasts: number): Promise<void> {
    actor.held = true;
    actor.process.signal(signal);
    await within(STOPS_WITHIN, actor.process.over, `"${actor.role}" does not end after ${signal}`);
    await pause(lasts);
    actor.held = false;
  }

  /** Ends about a third of the sessions of the application. */
  private async terminate(whom: number): Promise<void> {
    const client = new pg.Client({ connectionString: this.scene.postgres.directUrl });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid % 3 = $2', [this.scene.database, Math.floor(whom * 3)]);
    await client.end();
  }

  /** Publishes a message of the stream again as a stranger would: the last one, or an old one. */
  private inject(whom: number, place: number): Promise<void> {
    return this.onStream(whom, async ({ connection, manager, stream }) => {
      const { first_seq: first, last_seq: last } = (await manager.streams.info(stream)).state;
      const message = last > 0 ? await manager.streams.getMessage(stream, { seq: Math.max(first, Math.round(first + (last - first) * place)) }) : null;
      if (!message) return;
      const headers = newHeaders();
      for (const [name, values] of message.header) if (!/^Nats-/i.test(name)) for (const value of values) headers.append(name, value);
      connection.publish(message.subject, message.data, { headers });
      await connection.flush();
    });
  }

  /** Nothing is done when there is no stream, or no answer: another fault was faster. */
  private async onStream(whom: number, work: (broker: Broker) => Promise<unknown>): Promise<void> {
    const connection = await connect({ servers: this.scene.nats!.directUrl, timeout: BROKER_TIMEOUT });
    try {
      const manager = await jetstreamManager(connection, { timeout: BROKER_TIMEOUT });
      const names: string[] = [];
      for await (const { config } of manager.streams.list()) names.push(config.name);
      const stream = names.toSorted()[Math.floor(whom * names.length)];
      if (stream) await work({ connection, manager, stream });
    } catch (error) {
      process.stderr.write(`(not done to a stream: ${(error as Error).message})\n`);
    } finally {
      await connection.close();
    }
  }
}

interface Broker {
  readonly connection: Awaited<ReturnType<typeof connect>>;
  readonly manager: Awaited<ReturnType<typeof jetstreamManager>>;
  readonly stream: string;
}

async function freeze(actor: Actor, lasts: number): Promise<void> {
  const { process } = actor;
  process.signal('SIGSTOP');
  await pause(lasts);
  process.signal('SIGCONT');
}

async function restart(server: Server, how: 'orderly' | 'immediate', away: number): Promise<void> {
  await server.stop(how);
  await pause(away);
  await server.start();
}

async function bad(server: Server, weather: Parameters<Server['proxy']['set']>[0], lasts: number): Promise<void> {
  server.proxy.set(weather);
  await pause(lasts);
  server.proxy.set({ kind: 'fair' });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
