// The process under test: the contexts of this folder as one service, told what to do by its parent. Erasable syntax.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { withMessage } from '@nestbox/kernel';
import { Engine, MessagingModule, Operator, rebuildProjection, type ServiceTopology } from '@nestbox/messaging';
import { type ContextDatabase, databaseToken, PersistenceModule } from '@nestbox/persistence';
import { AuditModule, DeskModule, Fill, GetSteps, type Manner, MisdeclaredModule, ShopModule, TOTALS } from './contexts.ts';

/** What the parent asks for, and gets one answer to. */
export interface Wish {
  readonly id: number;
  readonly tenant: string;
  readonly basket: string;
  readonly times: number;
  /** `replay`, `edit` and `skip` are what a person asks for about events in trouble; `retain` looks for events old enough to go. */
  /** The idempotency key of the command. */
  readonly key?: string;
  readonly manner: Manner | 'query' | 'replay' | 'edit' | 'skip' | 'retain';
}

const { DATABASE_URL = '', DATABASE_POOL_SIZE = '10', DATABASE_ENGINE_POOL_SIZE = '4', NATS_URL = '', NATS_NAMESPACE = '', EVENTS = 'in-process', ROLE = 'all' } = process.env;

const modules = { shop: ShopModule, desk: DeskModule, audit: AuditModule };
type Context = keyof typeof modules;
const gateway = ROLE === 'gateway';
const contexts = (Object.keys(modules) as Context[]).filter((context) => !gateway && (!Object.hasOwn(modules, ROLE) || context === ROLE));
const topology: ServiceTopology = {
  service: ROLE, contexts, entrypoints: EVENTS === 'nats' && !gateway ? ['nats'] : [],
  events: EVENTS as ServiceTopology['events'], instances: 1,
};
const application = {
  module: class Application {},
  imports: [
    PersistenceModule.forRoot({
      urlOf: () => (ROLE === 'no database' ? `${DATABASE_URL}_missing` : DATABASE_URL),
      poolSize: Number(DATABASE_POOL_SIZE), enginePoolSize: Number(DATABASE_ENGINE_POOL_SIZE), answerTimeoutMs: 5_000, migrate: true,
    }),
    MessagingModule.forRoot({
      access: 'open',
      topology,
      settings: { SERVICE: ROLE, TOPOLOGY_FILE: '', NATS_URL, NATS_NAMESPACE, REMOTE_TIMEOUT_MS: 5000, EVENT_RETENTION_DAYS: 7, OUTBOX_RETENTION_DAYS: 30, READER_ALARM_HOURS: 24, IDEMPOTENCY_KEY_HOURS: 24 },
    }),
    ...contexts.map((context) => modules[context]),
    ...(ROLE === 'misdeclared' ? [MisdeclaredModule] : []),
  ],
};

// Whoever was started by nobody ends.
process.on('disconnect', () => process.exit(0));
const app = await NestFactory.createApplicationContext(application, { logger: ['error', 'warn'], abortOnError: false });

if (ROLE === 'revert') {
  for (const context of contexts.toReversed()) await databaseOf(context).revert();
  process.exit(0);
} else if (ROLE === 'rebuild') {
  const rebuilt = await rebuildProjection(databaseOf('audit'), TOTALS).catch((error: Error) => error.message);
  process.send!({ rebuilt });
} else {
  process.on('message', (wish: Wish) => void answer(wish));
  process.on('SIGTERM', () => void app.close().then(() => process.exit(0)));
  process.send!({ ready: true });
}

async function answer({ id, tenant, basket, times, manner, key }: Wish): Promise<void> {
  const work = async (): Promise<number> => {
    if (manner === 'query') return app.get(QueryBus).execute(new GetSteps(basket));
    if (manner === 'replay') return (await app.get(Operator).request({ request: manner })).asked;
    // Of nothing that is there: what a person leaves out, after many deaths for example, would look like a loss.
    if (manner === 'skip') return app.get(Operator).request({ request: manner, event: crypto.randomUUID() }).then(() => 0, () => 0);
    if (manner === 'retain') return app.get(Engine).dropOldEvents().then(() => 0);
    if (manner === 'edit') return edit(app.get(Operator));
    return app.get(CommandBus).execute(new Fill(basket, times, manner));
  };
  const answered = await withMessage({ correlationId: crypto.randomUUID(), causationId: crypto.randomUUID(), tenantId: tenant, ...(key !== undefined && { idempotencyKey: key }) }, work).then(
    (steps: number) => ({ steps }),
    (error: Error) => ({ error: error.message }),
  );
  process.send!({ id, ...answered });
}

/** Gives the first event in trouble its own payload again, so that the effect stays right. */
async function edit(operator: Operator): Promise<number> {
  const [first] = (await operator.trouble()).items;
  if (!first) return 0;
  const { rows } = await databaseOf('desk').query<{ payload: Record<string, unknown> }>("select event->'payload' payload from desk.trouble where event->>'id' = $1", [first.event]);
  return rows[0] ? (await operator.edit({ event: first.event, payload: rows[0].payload })).asked : 0;
}

function databaseOf(context: Context): ContextDatabase {
  return app.get<ContextDatabase>(databaseToken(context), { strict: false });
}
