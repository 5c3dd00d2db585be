import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNatsNamespace } from '../e2e/nats-namespace.ts';
import { isClean, judge } from '../proof/verdict.ts';
import { DEPLOYMENTS, INSTANCES, Services } from './services.ts';

/** How long things may take on a busy machine, in ms. How long they do take is printed. */
const PATIENCE = 60_000;

/** `INSTANCES=split` runs it with ten processes, which takes two cores some minutes. */
const SPLIT = process.env['INSTANCES'] === 'split';
const DEPLOYMENT = SPLIT ? DEPLOYMENTS.split : DEPLOYMENTS.together;
/** The service whose readers are looked at most closely, and how many lanes they have in all. */
const [SERVICE, LANES] = SPLIT ? ['desk', 32] as const : ['all', 4 * 32] as const;

describe('three processes of each service', { timeout: 3 * PATIENCE }, () => {
  const nats = createNatsNamespace();
  let database: TestDatabase;
  let db: pg.Client;
  let services: Services;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new pg.Client({ connectionString: database.url });
    await db.connect();
    services = new Services(DEPLOYMENT, { ...database.env, NATS_URL: nats.url, NATS_NAMESPACE: nats.name });
    await services.start();
  });

  afterAll(async () => {
    await services?.stop();
    await db?.end();
    await nats.drop();
    await database?.drop();
  });

  /** Lanes of each living process, reader by reader; those of the dead and of nobody are left out. */
  const shares = async () => {
    const { rows } = await db.query<{ service: string; reader: string; process: string; lanes: number }>(
      ['desk', 'audit']
        .map(
          (service) => `select '${SPLIT ? service : 'all'}' service, reader || ' ← ' || source reader, process, count(*)::int lanes
            from (select distinct on (reader, source, lane) * from ${service}.cursor where reader <> 'relay' order by reader, source, lane, gen desc) newest
            join nb.instance on instance = owner
            where exists (select from nb.member m where m.instance = newest.owner and until > clock_timestamp()) group by 1, 2, 3`,
        )
        .join(' union all '),
    );
    return rows;
  };
  /** The most a process has more than another, in any reader and over all readers of a service; Infinity while lanes or processes are missing. */
  const unfairness = async () => {
    const rows = await shares();
    const readers = [...Map.groupBy(rows, ({ reader }) => reader).values()].map((of) => of.map(({ lanes }) => lanes));
    const totals = [...Map.groupBy(rows, ({ service }) => service).values()].map((of) =>
      [...Map.groupBy(of, ({ process }) => process).values()].map((own) => own.reduce((sum, { lanes }) => sum + lanes, 0)));
    if (readers.length < 4 || readers.some((lanes) => lanes.length !== INSTANCES || lanes.reduce((sum, own) => sum + own, 0) !== 32)) return Infinity;
    return Math.max(...[...readers, ...totals].map((lanes) => Math.max(...lanes) - Math.min(...lanes)));
  };
  const shared = async () => {
    await expect.poll(unfairness, { timeout: PATIENCE }).toBeLessThanOrEqual(1);
    return (await shares()).map(({ reader, lanes }) => `${reader}: ${lanes}`).toSorted().join(', ');
  };
  const clean = async () => {
    await expect.poll(async () => isClean(await judge(db, services.acknowledged)), { timeout: PATIENCE }).toBe(true);
    expect(services.acknowledged.size).toBeGreaterThan(0);
  };

  it('share the lanes of each reader, and of all readers together, with a difference of one at most', async () => {
    console.log(`Shared as ${await shared()}.`);
  });

  it('retake the lanes of one that is killed, without losing or doubling anything', async () => {
    services.beginLoad();
    const [victim] = services.running.get(SERVICE)!;
    const [name] = (await db.query<{ process: string }>('select process from nb.instance where process like $1', [`%:${victim!.pid}`])).rows;
    const lanes = async () => (await shares()).filter(({ service, process }) => service === SERVICE && process !== name!.process).reduce((sum, own) => sum + own.lanes, 0);
    expect(await lanes()).toBeLessThan(LANES);
    await services.kill(SERVICE);
    const began = performance.now();
    await expect.poll(lanes, { timeout: PATIENCE, interval: 10 }).toBe(LANES);
    console.log(`Lanes of a killed process were retaken ${Math.round(performance.now() - began)} ms after its death.`);
    await services.endLoad();
    await clean();
  });

  it('give one that joins its share, without losing or doubling anything', async () => {
    services.beginLoad();
    await services.add(SERVICE);
    const began = performance.now();
    await shared();
    console.log(`A process that joined had its share ${Math.round(performance.now() - began)} ms after its start.`);
    await services.endLoad();
    await clean();
  });

  it('are replaced one after the other under load, without losing or doubling anything', async () => {
    services.beginLoad();
    for (let round = 0; round < INSTANCES; round++) await Promise.all(DEPLOYMENT.services.map((service) => services.replace(service)));
    await services.endLoad();
    await clean();
    await shared();
    const { rows } = await db.query<{ effects: number }>('select (select count(*) from desk.shop)::int + (select count(*) from audit.shop)::int + (select count(*) from audit.desk)::int effects');
    console.log(`${rows[0]!.effects} effects, none lost, doubled or out of order.`);
  });
});
