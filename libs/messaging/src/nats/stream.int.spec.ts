import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NatsConnection } from './connection.js';
import { OwnServer, Recorded, connectTo, dropStreams, ownSubjects } from './fixture.spec.js';
import { createdAt, ensureStream, findStream } from './stream.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const subjects = ownSubjects();
const name = subjects.stream('ordering');
let connection: NatsConnection;
let logger: Recorded;

beforeAll(async () => {
  connection = await connectTo();
});
beforeEach(async () => {
  await dropStreams(connection, subjects);
  logger = new Recorded();
});
afterAll(async () => {
  await dropStreams(connection, subjects);
  await connection.close();
});

const declare = (retentionDays = 7) => ensureStream(connection.jsm, 'ordering', { subjects, retentionDays, logger });

describe('ensureStream', () => {
  it('creates the stream as declared', async () => {
    expect(await findStream(connection.jsm, name)).toBeUndefined();
    expect(await declare()).toEqual([]);
    const { config } = (await findStream(connection.jsm, name))!;
    expect(config).toMatchObject({
      subjects: [subjects.events('ordering')],
      storage: 'file',
      retention: 'limits',
      discard: 'old',
      max_age: nanos(7 * DAY_MS),
      duplicate_window: nanos(120_000),
      num_replicas: 1,
    });
  });

  it('changes nothing at the second boot', async () => {
    await declare();
    const before = await findStream(connection.jsm, name);
    expect(await declare()).toEqual([]);
    const after = await findStream(connection.jsm, name);
    expect(after!.config).toEqual(before!.config);
    expect(createdAt(after!)).toBe(createdAt(before!));
    expect(logger.matching(/^warn/)).toEqual([]);
  });

  it('may be declared by several processes at once', async () => {
    expect(await Promise.all([declare(), declare(), declare()])).toEqual([[], [], []]);
  });

  it('applies what is safe', async () => {
    await declare();
    await connection.jsm.streams.update(name, { max_msgs: 10, description: 'by hand' });
    expect((await declare()).map(({ property, applied }) => [property, applied])).toEqual([
      ['description', true],
      ['max_msgs', true],
    ]);
    expect(logger.matching(/^warn .*max_msgs was 10 instead of -1; changed/)).toHaveLength(1);
    expect(await declare()).toEqual([]);
  });

  it('lengthens the retention by itself, and only reports that it should be shorter', async () => {
    await declare(7);
    expect(await declare(8)).toMatchObject([{ property: 'max_age', applied: true }]);
    expect(await declare(7)).toMatchObject([{ property: 'max_age', applied: false }]);
    expect((await findStream(connection.jsm, name))!.config.max_age).toBe(nanos(8 * DAY_MS));
    expect(logger.matching(/^warn .*max_age is .* left as it is/)).toHaveLength(1);
  });

  it('says so when the server has no JetStream', async () => {
    const server = await OwnServer.prepare();
    server.startPlain();
    const plain = await connectTo(server.url);
    try {
      await expect(ensureStream(plain.jsm, 'ordering', { subjects, retentionDays: 7, logger })).rejects.toThrow(/nats-server -js/);
    } finally {
      await plain.close();
      await server.remove();
    }
  });

  it('waits for a server that is still removing the files of the stream before', async () => {
    const server = await OwnServer.prepare();
    server.start();
    const own = await connectTo(server.url);
    try {
      // What stands in the way of the directory makes the server refuse, as a directory does that is just being removed.
      await own.jsm.streams.add({ name: 'other', subjects: ['other'] });
      const inTheWay = join(server.folder, 'jetstream', '$G', 'streams', name);
      writeFileSync(inTheWay, '');
      await expect(own.jsm.streams.add({ name, subjects: ['once'] })).rejects.toMatchObject({ code: 10049 });
      const declared = ensureStream(own.jsm, 'ordering', { subjects, retentionDays: 7, logger });
      setTimeout(() => rmSync(inTheWay, { force: true }), 200);
      expect(await declared).toEqual([]);
      expect(await findStream(own.jsm, name)).toBeDefined();
    } finally {
      await own.close();
      await server.remove();
    }
  });

  it('reports what cannot be changed and leaves it', async () => {
    await connection.jsm.streams.add({ name, subjects: [subjects.events('ordering')], storage: StorageType.Memory, retention: RetentionPolicy.Interest });
    const differences = await declare();
    expect(differences).toContainEqual({ property: 'storage', declared: 'file', found: 'memory', applied: false });
    expect(differences).toContainEqual({ property: 'retention', declared: 'limits', found: 'interest', applied: false });
    expect((await findStream(connection.jsm, name))!.config.storage).toBe('memory');
    expect(logger.matching(/storage is "memory" instead of "file"; left as it is/)).toHaveLength(1);
  });
});
