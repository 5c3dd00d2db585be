import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NatsConnection } from './connection.js';
import { OwnServer, Recorded, connectTo, ownSubjects, until } from './fixture.spec.js';
import { NatsWakeUps } from './wake-ups.js';

const subjects = ownSubjects();
let connections: NatsConnection[];
let here: NatsWakeUps;
let there: NatsWakeUps;

beforeEach(async () => {
  connections = [await connectTo(), await connectTo()];
  [here, there] = connections.map((connection) => new NatsWakeUps(connection, subjects)) as [NatsWakeUps, NatsWakeUps];
});
afterEach(async () => {
  here.close();
  there.close();
  for (const connection of connections) await connection.close();
});

const flush = () => Promise.all(connections.map((connection) => connection.client.flush()));

describe('NatsWakeUps', () => {
  it('wakes this process at once, and the others over NATS, each for its topics only', async () => {
    const woken: string[] = [];
    here.on('log.ordering', () => void woken.push('here'));
    there.on('log.ordering', () => void woken.push('there'));
    there.on('log.billing', () => void woken.push('wrong topic'));
    await flush();
    here.poke('log.ordering');
    expect(woken).toEqual(['here']);
    await until(() => woken.length === 2);
    await flush();
    expect(woken).toEqual(['here', 'there']);
  });

  it('sends a burst as two messages, the last one after the last poke', async () => {
    let woken = 0;
    there.on('log.ordering', () => void woken++);
    await flush();
    for (let i = 0; i < 1_000; i++) here.poke('log.ordering');
    await until(() => woken === 2);
    here.poke('log.ordering');
    await until(() => woken === 3);
  });

  it('sends nothing when a listener here says that it was meant for it', async () => {
    const woken: string[] = [];
    let mine = true;
    here.on('t', () => void woken.push('a bystander'));
    here.on('t', () => {
      woken.push('here');
      return mine;
    });
    there.on('t', () => void woken.push('there'));
    await flush();
    here.poke('t');
    mine = false;
    here.poke('t');
    await until(() => woken.includes('there'));
    await flush();
    expect(woken).toEqual(['a bystander', 'here', 'a bystander', 'here', 'there']);
  });

  it('stops when asked to, and keeps the other listeners of the topic', async () => {
    const woken: string[] = [];
    const off = there.on('t', () => void woken.push('first'));
    there.on('t', () => void woken.push('second'));
    off();
    off();
    await flush();
    here.poke('t');
    await until(() => woken.length === 1);
    expect(woken).toEqual(['second']);
  });

  it('works inside the process without NATS, and with the others once NATS is there, and there again', async () => {
    const server = await OwnServer.prepare();
    const own = [1, 2].map(() => new NatsConnection({ url: server.url, logger: new Recorded() }));
    const [one, two] = own.map((connection) => new NatsWakeUps(connection, subjects)) as [NatsWakeUps, NatsWakeUps];
    try {
      let local = 0;
      let remote = 0;
      one.on('t', () => void local++);
      two.on('t', () => void remote++);
      one.poke('t');
      expect(local).toBe(1);
      for (const round of [1, 2]) {
        server.start();
        await Promise.all(own.map((connection) => connection.start()));
        await until(() => own.every((connection) => connection.status() === 'connected'));
        for (const connection of own) await connection.client.flush();
        const before = remote;
        await until(() => (one.poke('t'), remote > before));
        await server.stop();
        await until(() => own.every((connection) => connection.status() === 'disconnected'));
        const pokes = local;
        one.poke('t');
        expect([round, local]).toEqual([round, pokes + 1]);
      }
    } finally {
      one.close();
      two.close();
      for (const connection of own) await connection.close();
      await server.remove();
    }
  });
});
