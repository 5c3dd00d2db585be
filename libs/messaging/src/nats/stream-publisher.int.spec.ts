import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { headers, MsgHdrsImpl } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NatsConnection } from './connection.js';
import { connectTo, dropStreams, OwnServer, ownSubjects, until } from './fixture.spec.js';
import { NotPublished, type Stored, StreamPublisher } from './stream-publisher.js';
import { ensureStream } from './stream.js';

const subjects = ownSubjects();
const stream = subjects.stream('ordering');
const subject = subjects.events('ordering').replace('>', 'one');
let connection: NatsConnection;
let publisher: StreamPublisher;

beforeAll(async () => {
  connection = await connectTo();
});
beforeEach(async () => {
  await ensureStream(connection.jsm, 'ordering', { subjects, retentionDays: 7 });
  publisher = new StreamPublisher(connection);
});
afterEach(async () => {
  publisher.close();
  await dropStreams(connection, subjects);
});
afterAll(() => connection.close());

function head(lines: Readonly<Record<string, string>> = {}): Uint8Array {
  const set = headers();
  for (const [name, value] of Object.entries({ mark: 'm', ...lines })) set.set(name, value);
  return (set as MsgHdrsImpl).encode();
}

function publish(lines: Readonly<Record<string, string>> = {}, { to = subject, data = '{}', over = publisher } = {}): Promise<Stored | NotPublished> {
  return new Promise((resolve) => over.publish(to, { head: head(lines), data }, resolve));
}

const kindOf = async (answer: Promise<Stored | NotPublished>) => ((await answer) as NotPublished).kind;

describe('StreamPublisher', () => {
  it('stores messages with their headers, in order, and tells each where it stands', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => publish({ i: String(i) }, { data: `{"i":${i}}` })));
    expect(answers).toEqual(answers.map((_, i) => ({ seq: i + 1 })));
    const last = await connection.jsm.streams.getMessage(stream, { seq: 1_000 });
    expect([last!.header.get('i'), last!.json()]).toEqual(['999', { i: 999 }]);
  });

  it('tells a duplicate from a message that was stored', async () => {
    expect(await publish({ 'Nats-Msg-Id': 'a' })).toEqual({ seq: 1 });
    expect(await publish({ 'Nats-Msg-Id': 'a' })).toEqual({ seq: 1, duplicate: true });
  });

  it('tells why a message was not stored, as the server says it', async () => {
    await publish({ 'Nats-Msg-Id': 'a' });
    expect(await publish({ 'Nats-Expected-Last-Sequence': '7' })).toMatchObject({ kind: 'fenced', message: 'wrong last sequence: 1' });
    expect(await kindOf(publish({ 'Nats-Expected-Last-Msg-Id': 'b' }))).toBe('fenced');
    expect(await kindOf(publish({ 'Nats-Expected-Stream': 'another' }))).toBe('other');
    await connection.jsm.streams.update(stream, { max_msg_size: 200 });
    expect(await kindOf(publish({}, { data: 'x'.repeat(300) }))).toBe('too-large');
    expect(await kindOf(publish({}, { data: 'x'.repeat(2_000_000) }))).toBe('too-large');
    expect(await kindOf(publish({}, { to: 'with a blank' }))).toBe('other');
    await connection.jsm.streams.delete(stream);
    expect(await kindOf(publish())).toBe('no-stream');
  });

  it('does not wait for ever for an answer, nor forgets who still has time', async () => {
    const impatient = new StreamPublisher(connection, 200);
    const silent = connection.client.subscribe(`${subjects.namespace}.silent`, { callback: () => undefined });
    const answers = [1, 2].map(() => publish({}, { to: `${subjects.namespace}.silent`, over: impatient }));
    expect(await publish({}, { over: impatient })).toEqual({ seq: 1 });
    expect(await Promise.all(answers)).toMatchObject([1, 2].map(() => ({ kind: 'other', message: 'no answer within 200 ms' })));
    expect(await kindOf(publish({}, { to: `${subjects.namespace}.silent`, over: impatient }))).toBe('other');
    silent.unsubscribe();
    impatient.close();
  });

  it('takes what is no answer of a stream for none', async () => {
    const odd = connection.client.subscribe(`${subjects.namespace}.odd`, { callback: (_, message) => void message.respond('?') });
    expect(await publish({}, { to: `${subjects.namespace}.odd` })).toMatchObject({ kind: 'other', message: 'the answer is not JSON (?)' });
    odd.unsubscribe();
  });

  it('says nothing of messages that were given up, and takes their answers for nobody else', async () => {
    const heard: unknown[] = [];
    for (let i = 0; i < 10; i++) publisher.publish(subject, { head: head(), data: '{}' }, (answer) => heard.push(answer));
    publisher.forget();
    expect(await publish()).toEqual({ seq: 11 });
    expect(heard).toEqual([]);
  });

  it('goes on over a connection that was lost', async () => {
    const server = await OwnServer.prepare();
    server.start();
    const own = await connectTo(server.url);
    const over = new StreamPublisher(own);
    try {
      await ensureStream(own.jsm, 'ordering', { subjects, retentionDays: 7 });
      expect(await publish({}, { over })).toEqual({ seq: 1 });
      await server.stop();
      await until(() => own.status() === 'disconnected');
      server.start();
      await until(() => own.status() === 'connected');
      expect(await publish({}, { over })).toEqual({ seq: 2 });
    } finally {
      over.close();
      await own.close();
      await server.remove();
    }
  });

  it('says so when the server does not let it hear answers, and tries again', async () => {
    const server = await OwnServer.prepare();
    const file = join(server.folder, 'denied.conf');
    writeFileSync(file, 'authorization { users = [{ user: me, password: secret, permissions: { subscribe: { deny: "_INBOX.>" } } }] }');
    server.startPlain('-c', file);
    const own = await connectTo(`nats://me:secret@127.0.0.1:${server.port}`);
    const over = new StreamPublisher(own);
    try {
      for (let i = 0; i < 2; i++) expect(await publish({}, { over })).toMatchObject({ kind: 'other', message: expect.stringContaining('ermission') as string });
    } finally {
      over.close();
      await own.close();
      await server.remove();
    }
  });
});
