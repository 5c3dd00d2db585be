import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { serve } from '../child.js';
import { withClient } from '../environment.js';
import { EFFECT_TABLE } from '../contexts.js';

export interface GraphileOptions {
  readonly databaseUrl: string;
  readonly concurrency: number;
  /** Its settings for throughput; see its page "Performance". */
  readonly worker: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly thing: string;
  readonly version: number;
}

const silent = new Logger(() => (level, message) => {
  if (level === 'error' || level === 'warning') console.error(message);
});

let stop = async () => {};

/** graphile-worker: one job per event, one insert per job; or jobs added with a business write, for latencies. */
serve(
  {
    async prepare({ databaseUrl, jobs, note }: { databaseUrl: string; jobs: number; note: string }) {
      await runMigrations({ connectionString: databaseUrl, logger: silent });
      await withClient(databaseUrl, async (client) => {
        await client.query('create schema if not exists effects');
        await client.query(`create table if not exists ${EFFECT_TABLE}`);
        await client.query('truncate effects.effect restart identity');
        // The same events as in the outbox: a hundred things, one version after the other.
        await client.query(
          `select graphile_worker.add_jobs(array_agg(row('note', json_build_object('thing', 'thing-' || g % 100, 'version', g / 100, 'note', $2::text),
             null, null, null, null, null, null)::graphile_worker.job_spec order by g)) from generate_series(0, $1::int - 1) g`,
          [jobs, note],
        );
        await client.query('vacuum analyze');
      });
    },

    async effects({ databaseUrl, concurrency, worker }: GraphileOptions) {
      const runner = await run({
        connectionString: databaseUrl, concurrency, maxPoolSize: concurrency + 2, noHandleSignals: true, logger: silent, crontab: '',
        preset: { worker: { ...worker } },
        taskList: {
          note: async ({ thing, version }: Job, helpers) => {
            await helpers.query('insert into effects.effect (thing, version) values ($1, $2)', [thing, version]);
          },
        },
      });
      stop = () => runner.stop();
    },

    /** Adds `perSecond` jobs, each in the transaction of an update, for `seconds`; answers how long after its commit each started, in ms. */
    async latencies({ databaseUrl, concurrency, worker, things, perSecond, seconds, warmUpSeconds }: GraphileOptions & { things: readonly string[]; perSecond: number; seconds: number; warmUpSeconds: number }): Promise<number[]> {
      const starts = new Map<number, bigint>();
      const runner = await run({
        connectionString: databaseUrl, concurrency, maxPoolSize: concurrency + 2, noHandleSignals: true, logger: silent, crontab: '', preset: { worker: { ...worker } },
        taskList: { started: ({ number }: { number: number }) => void starts.set(number, process.hrtime.bigint()) },
      });
      const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
      const commits = new Map<number, bigint>();
      const add = async (number: number) => {
        const client = await pool.connect();
        await client.query('begin');
        await client.query('update bench_thing set version = version + 1 where id = $1', [things[number % things.length]]);
        await client.query("select graphile_worker.add_job('started', $1)", [{ number }]);
        await client.query('commit');
        commits.set(number, process.hrtime.bigint());
        client.release();
      };
      await pool.query('create table if not exists bench_thing (id text primary key, version int not null)');
      await pool.query('insert into bench_thing select id, 0 from unnest($1::text[]) id on conflict do nothing', [things]);
      const running: Promise<void>[] = [];
      const begun = performance.now();
      for (let sent = 0; sent < perSecond * (seconds + warmUpSeconds); ) {
        for (const due = Math.min(seconds + warmUpSeconds, (performance.now() - begun) / 1_000) * perSecond; sent < due; sent++) running.push(add(sent));
        await sleep(1);
      }
      await Promise.all(running);
      const patience = performance.now() + 30_000;
      while (starts.size < commits.size && performance.now() < patience) await sleep(50);
      await runner.stop();
      await pool.end();
      if (starts.size !== commits.size) throw new Error(`${commits.size} jobs were added, ${starts.size} have started.`);
      return [...commits].filter(([number]) => number >= perSecond * warmUpSeconds).map(([number, at]) => Number(starts.get(number)! - at) / 1e6);
    },
  },
  () => stop(),
);
