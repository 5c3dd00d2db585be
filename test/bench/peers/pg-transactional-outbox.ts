import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { DatabaseSetup, getDisabledLogger, initializePollingMessageListener } from 'pg-transactional-outbox';
import { serve } from '../child.js';
import { withClient } from '../environment.js';

export interface PeerOptions {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly stream: string;
  readonly batchSize: number;
  readonly pollingIntervalMs: number;
  readonly tuned: boolean;
}

const setup = { outboxOrInbox: 'outbox', database: '', schema: 'peer', table: 'outbox', listenerRole: '', nextMessagesName: 'next_outbox_messages' } as const;
let stopListener = async () => {};
let client: NatsConnection | undefined;

/** pg-transactional-outbox, polling: every message is published and acknowledged by JetStream in its handler. */
serve(
  {
    async prepare({ databaseUrl, messages, things, note }: { databaseUrl: string; messages: number; things: number; note: string }) {
      await withClient(databaseUrl, async (db) => {
        await db.query(DatabaseSetup.dropAndCreateTable(setup));
        await db.query(DatabaseSetup.createPollingFunction(setup));
        await db.query(DatabaseSetup.setupPollingIndexes(setup));
        // A segment per thing: that is what keeps its messages in order and lets the others run beside them.
        await db.query(
          `insert into peer.outbox (id, aggregate_type, aggregate_id, message_type, segment, payload)
           select gen_random_uuid(), 'thing', 'thing-' || g % $2::int, 'changed', 'thing-' || g % $2::int, jsonb_build_object('thing', 'thing-' || g % $2::int, 'version', g / $2::int + 1, 'note', $3::text)
           from generate_series(0, $1::int - 1) g`,
          [messages, things, note],
        );
        await db.query('vacuum analyze peer.outbox');
      });
    },

    async publish({ databaseUrl, natsUrl, stream, batchSize, pollingIntervalMs, tuned }: PeerOptions) {
      client = await connect({ servers: new URL(natsUrl).host });
      await (await jetstreamManager(client)).streams.add({ name: stream, subjects: [`${stream}.>`], storage: StorageType.File });
      const js = jetstream(client);
      [stopListener] = initializePollingMessageListener(
        {
          outboxOrInbox: 'outbox',
          dbListenerConfig: { connectionString: databaseUrl, max: 20 },
          settings: {
            dbSchema: setup.schema, dbTable: setup.table, nextMessagesFunctionSchema: setup.schema, nextMessagesFunctionName: setup.nextMessagesName,
            nextMessagesBatchSize: batchSize, nextMessagesPollingIntervalInMs: pollingIntervalMs,
            enableMaxAttemptsProtection: false, enablePoisonousMessageProtection: false,
          },
        },
        { handle: async ({ id, payload, aggregateId }) => void (await js.publish(`${stream}.${aggregateId}`, JSON.stringify(payload), { msgID: id })) },
        getDisabledLogger(),
        // By itself it takes one message at a time until it has made as many calls as a batch is large.
        tuned ? { batchSizeStrategy: async () => batchSize } : undefined,
      );
    },
  },
  async () => {
    await stopListener();
    await client?.close();
  },
);
