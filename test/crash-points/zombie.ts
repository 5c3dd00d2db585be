// A relay that believes for ever to own the log of `shop`, beside the one that does. Erasable syntax.
import pg from 'pg';
import { NatsConnection } from '../../libs/messaging/dist/nats/connection.js';
import { Relay } from '../../libs/messaging/dist/nats/relay.js';
import { Subjects } from '../../libs/messaging/dist/nats/subjects.js';
import { STORED_EVENT_COLUMNS, type StoredEventRow, toStoredEvent } from '../../libs/messaging/dist/stored-event-row.js';

const { DATABASE_URL, NATS_URL = '', NATS_NAMESPACE = '' } = process.env;
const EAGER_MS = 2;

process.on('disconnect', () => process.exit(0));
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
const connection = new NatsConnection({ url: NATS_URL });
await connection.start();
const relay = new Relay({
  connection,
  subjects: new Subjects(NATS_NAMESPACE),
  retentionDays: 7,
  log: {
    context: 'shop',
    read: async (after, limit) => {
      const { rows } = await pool.query<StoredEventRow>(
        `select ${STORED_EVENT_COLUMNS} from (select * from shop.log where n > $1 order by n limit $2) l join shop.outbox o using (position) order by l.n`,
        [after, limit],
      );
      return rows.map(toStoredEvent);
    },
    acquire: () => Promise.resolve(true),
    owned: () => true,
    release: () => Promise.resolve(),
    note: () => Promise.resolve(),
    followed: () => Promise.resolve([]),
    gave: () => Promise.resolve(true),
    refused: () => Promise.resolve(),
    resumed: () => Promise.resolve(),
    onWake: (listener) => {
      const timer = setInterval(listener, EAGER_MS);
      return () => clearInterval(timer);
    },
  },
});
await relay.start();
process.send!({ ready: true });
