import { PAST_THE_LEASE, type Scenario } from './life.ts';
import { openWay } from './way.ts';

/** What a database does to those who use it. */
export const databaseScenarios: readonly Scenario[] = [
  {
    name: 'connections cut while they commit',
    async play(life) {
      const target = await life.target();
      await life.load(target, 2, 5);
      for (let round = 0; round < 4; round++) {
        // Nobody can commit an event while the table is held: whoever tries is there to be cut off.
        const { client, release } = await life.stage.holding('lock table shop.outbox in share mode');
        const busy = life.load(target, 6, 9);
        await life.pause(150);
        await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'nestbox shop' and wait_event_type = 'Lock'");
        await release();
        await busy;
      }
      await life.drained();
    },
  },
  {
    name: 'answers of the database lost',
    async play(life) {
      const way = await openWay(life.stage.url);
      try {
        const target = await life.target({ databaseUrl: way.url });
        await life.load(target, 2, 5);
        await life.stage.sql(WAIT_AT_COMMIT);
        for (let round = 0; round < 3; round++) {
          // Whoever commits waits there, and when it may go on, nobody hears of it any more.
          const { release } = await life.stage.holding('select pg_advisory_lock(1)');
          const begun = life.wish(target, { basket: 't0-begun', manner: 'begun' });
          await life.until('one whose transaction has begun waits', async () => (await life.stage.sql(WAITING)).length > 0);
          const busy = Promise.all([begun, life.load(target, 6, 3)]);
          await life.until('several wait', async () => (await life.stage.sql(WAITING)).length >= 4);
          way.block(true);
          way.block(false);
          await life.until('somebody asks what has become of it', async () => (await life.stage.sql(ASKING)).length > 0);
          await release();
          await busy;
        }
        await life.drained();
      } finally {
        way.close();
      }
    },
  },
  {
    name: 'memberships held up',
    async play(life) {
      const target = await life.target();
      const busy = life.load(target, 4, 60);
      for (let round = 0; round < 2; round++) {
        const { release } = await life.stage.holding('lock table nb.member in exclusive mode');
        await life.pause(PAST_THE_LEASE);
        await release();
        await life.pause(1_000);
      }
      await busy;
      await life.drained();
    },
  },
  {
    name: 'connections of the engine cut',
    async play(life) {
      const target = await life.target();
      const busy = life.load(target, 4, 100);
      for (let round = 0; round < 20; round++) {
        await life.pause(40);
        await life.stage.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name ~ '^nestbox' and random() < 0.3");
      }
      await busy;
      await life.drained();
    },
  },
  {
    name: 'restored database',
    async play(life) {
      const first = await life.helper();
      await life.load(first, 4, 10);
      await first.kill();
      // What a copy of the database on another server says, or a promoted standby.
      for (const context of ['shop', 'desk']) await life.stage.sql(`update ${context}.sequencer set timeline = timeline + 1`);
      const target = await life.target();
      await life.load(target, 2, 10);
      await life.drained();
    },
  },
  {
    name: 'end of a partition',
    async play(life) {
      await life.stage.sql('alter table shop.outbox alter position restart with 2900000');
      const target = await life.target();
      await life.load(target, 1, 10);
      await life.drained();
    },
  },
  {
    name: 'old events go',
    stage: 'new',
    async play(life) {
      await life.stage.sql(SMALL_PARTITIONS);
      const target = await life.target();
      for (let round = 0; round < 2; round++) {
        await life.load(target, 2, 20);
        await life.drained();
        await life.stage.sql("update shop.outbox set created_at = created_at - interval '400 days'");
        for (let look = 0; look < 4; look++) await life.wish(target, { manner: 'retain' });
      }
      await life.until('old partitions are gone', async () => {
        await life.wish(target, { manner: 'retain' });
        return (await life.stage.sql("select 1 where to_regclass('shop.outbox_p0') is null and to_regclass('shop.log_p0') is null")).length > 0;
      });
    },
  },
];

/** A transaction that changes a basket waits at its end while somebody holds the lock 1. */
const WAIT_AT_COMMIT = `create or replace function shop.wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$;
  drop trigger if exists wait on shop.basket;
  create constraint trigger wait after insert or update on shop.basket deferrable initially deferred for each row execute function shop.wait()`;

const WAITING = "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'";
const ASKING = "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query like '%from pg_stat_activity where pid =%'";

/** A partition for every 20 events, as if each were millions. */
const SMALL_PARTITIONS = ['outbox', 'log'].map((table) => `drop table shop.${table}_p0, shop.${table}_p1, shop.${table}_p2;
  create table shop.${table}_p0 partition of shop.${table} for values from (0) to (20)`).join(';');
