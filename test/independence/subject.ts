// An instance of one subscriber in a process of its own, which may die. Erasable syntax only.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { MessagingModule, messagingSettings } from '@nestbox/messaging';
import { readSettings } from '@nestbox/ops';
import { PersistenceModule } from '@nestbox/persistence';
import { AuditModule, LedgerModule, MeterModule, work } from './contexts.ts';

const { DATABASE_URL = '', NATS_URL, NATS_NAMESPACE, STALL_MAX_MS = '10000', SUBSCRIBER = 'ledger', WORK_MS = '0' } = process.env;
const [settings] = readSettings({ HANDLER_STALL_MAX_MS: STALL_MAX_MS, NATS_URL, NATS_NAMESPACE }, messagingSettings);

work.ms = Number(WORK_MS);
const overNats = NATS_NAMESPACE !== undefined;
// Without a broker a subscriber reads the log of the publisher in its own process.
const publisher = overNats ? [] : [MeterModule];

// Whoever was started by nobody ends.
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => void app.close().then(() => process.exit(0)));

const app = await NestFactory.createApplicationContext(
  {
    module: class Application {},
    imports: [
      PersistenceModule.forRoot({ urlOf: () => DATABASE_URL, migrate: true }),
      MessagingModule.forRoot({
        access: 'open',
        topology: { service: SUBSCRIBER, contexts: [...publisher.map(() => 'meter'), SUBSCRIBER], entrypoints: [], events: overNats ? 'nats' : 'in-process', instances: 2 },
        settings,
      }),
      ...publisher,
      SUBSCRIBER === 'audit' ? AuditModule : LedgerModule,
    ],
  },
  { logger: ['error', 'warn'], abortOnError: false },
);
process.send!('ready');
