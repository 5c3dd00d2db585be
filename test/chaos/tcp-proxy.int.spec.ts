import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from './tcp-proxy.ts';

describe('the proxy between the application and a server', () => {
  let server: Server;
  let proxy: TcpProxy;

  beforeEach(async () => {
    // Answers with what it hears.
    server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    proxy = await TcpProxy.start((server.address() as { port: number }).port);
  });

  afterEach(async () => {
    await proxy.stop();
    server.close();
  });

  async function connected(): Promise<Socket> {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  async function answerTo(socket: Socket, text: string): Promise<string> {
    socket.write(text);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString();
  }

  it('passes bytes on, in order, also when it is slow', async () => {
    const socket = await connected();
    expect(await answerTo(socket, 'one')).toBe('one');
    proxy.set({ kind: 'slow', delayMs: 5 });
    expect(await answerTo(socket, 'two')).toBe('two');
    proxy.set({ kind: 'fair' });
    expect(await answerTo(socket, 'three')).toBe('three');
    socket.destroy();
  });

  it('swallows everything in a hole, tells nobody, and cuts what lost bytes when it is over', async () => {
    const [silent, talking] = [await connected(), await connected()];
    expect(await answerTo(silent, 'here')).toBe('here');
    proxy.set({ kind: 'hole' });
    const heard: string[] = [];
    talking.on('data', (data) => heard.push(data.toString()));
    talking.write('lost');
    const late = await connected();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([talking.destroyed, heard]).toEqual([false, []]);
    const ends = Promise.all([once(talking, 'close'), once(late, 'close')]);
    proxy.set({ kind: 'fair' });
    await ends;
    expect(heard).toEqual([]);
    expect(await answerTo(silent, 'still')).toBe('still');
    silent.destroy();
  });

  it('forgets its connections: they stay open and silent, and new ones work', async () => {
    const [old, waiting] = [await connected(), await connected()];
    expect(await answerTo(old, 'here')).toBe('here');
    proxy.forget();
    const heard: string[] = [];
    for (const socket of [old, waiting]) socket.on('data', (data) => heard.push(data.toString())).write('lost');
    const late = await connected();
    expect(await answerTo(late, 'new')).toBe('new');
    proxy.set({ kind: 'fair' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([old.destroyed, waiting.destroyed, heard]).toEqual([false, false, []]);
    for (const socket of [old, waiting, late]) socket.destroy();
  });
});
