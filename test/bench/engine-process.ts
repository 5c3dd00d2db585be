import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { MessagingModule } from '@nestbox/messaging';
import { PersistenceModule } from '@nestbox/persistence';
import { serve } from './child.js';
import { BenchModule, Change, EffectsModule, Probe } from './contexts.js';
import { random } from './random.js';

/** What one process of the benchmarked application consists of. */
export interface EngineOptions {
  readonly databaseUrl: string;
  readonly contexts: readonly ('bench' | 'effects')[];
  readonly nats?: { readonly url: string; readonly namespace: string };
}

/** When something happened, in ns of the machine's monotonic clock, by `<thing>/<version>`. */
export type Moments = Map<string, bigint>;

let app: INestApplicationContext | undefined;
const MODULES = { bench: BenchModule, effects: EffectsModule };

serve(
  {
    async start({ databaseUrl, contexts, nats }: EngineOptions) {
      app = await NestFactory.createApplicationContext(
        {
          module: class BenchApplication {},
          imports: [
            PersistenceModule.forRoot({ urlOf: () => databaseUrl, migrate: true }),
            MessagingModule.forRoot({
              access: 'open',
              topology: { service: 'bench', contexts, entrypoints: [], events: nats ? 'nats' : 'in-process', instances: 1 },
              settings: { SERVICE: 'bench', TOPOLOGY_FILE: '', NATS_URL: nats?.url ?? '', NATS_NAMESPACE: nats?.namespace ?? '', REMOTE_TIMEOUT_MS: 5_000, EVENT_RETENTION_DAYS: 7, OUTBOX_RETENTION_DAYS: 30, READER_ALARM_HOURS: 24, IDEMPOTENCY_KEY_HOURS: 24 },
            }),
            ...contexts.map((context) => MODULES[context]),
          ],
        },
        { logger: ['error', 'warn'], abortOnError: false },
      );
    },

    /** `clients` callers, each sending its next command when the last was answered, for `seconds`. */
    async commands({ things, announced, clients, seconds }: { things: readonly string[]; announced: boolean; clients: number; seconds: number }): Promise<number> {
      const bus = app!.get(CommandBus);
      const next = random(clients);
      const end = performance.now() + seconds * 1_000;
      let done = 0;
      const client = async () => {
        while (performance.now() < end) {
          await bus.execute(new Change(things[Math.floor(next() * things.length)]!, announced));
          done++;
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      return done;
    },

    /** `perSecond` commands, whatever becomes of them, for `seconds`. Answers when each was committed. */
    async steadily({ things, perSecond, seconds }: { things: readonly string[]; perSecond: number; seconds: number }): Promise<Moments> {
      const bus = app!.get(CommandBus);
      const commits: Moments = new Map();
      const running: Promise<unknown>[] = [];
      const begun = performance.now();
      for (let sent = 0; sent < perSecond * seconds; ) {
        for (const due = Math.min(seconds, (performance.now() - begun) / 1_000) * perSecond; sent < due; sent++) {
          const thing = things[sent % things.length]!;
          running.push(bus.execute<Change, number>(new Change(thing, true)).then((version) => commits.set(`${thing}/${version}`, process.hrtime.bigint())));
        }
        await sleep(1);
      }
      await Promise.all(running);
      return commits;
    },

    record: () => {
      app!.get(Probe, { strict: false }).recording = true;
    },

    starts: (): Moments => app!.get(Probe, { strict: false }).starts,

    memory: () => process.memoryUsage().rss,
  },
  async () => app?.close(),
);
