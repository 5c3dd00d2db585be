import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestDatabase } from './test-database.js';

/**
 * Cut a connection when this text passes: `before` the server has got it, or `after`, before the answer is back; or let
 * the server have it `late`, when the application has lost its connection already.
 */
interface Cut {
  readonly text: string;
  readonly when: 'before' | 'after' | 'late';
}

/** How Postgres begins to tell a client its process id, for cancelling. */
const PROCESS_ID = Buffer.from([0x4b, 0, 0, 0, 12]);

/** How late a statement arrives, in ms. */
const DELAY = 500;

/**
 * Stands between an application and its database and loses one statement, the answer to it, or whole connections. The
 * application runs on {@link database}; the real one is dropped by whoever has created it.
 */
export class CuttingProxy {
  private readonly sockets = new Set<Socket>();
  private forgotten = new WeakSet<Socket>();
  private cut: Cut | undefined;

  private constructor(private readonly server: Server, readonly database: TestDatabase, private readonly pooling: boolean) {}

  /** @param options `pooling`: shows process ids of its own, as poolers do, so that nobody can tell who serves whom */
  static async before(database: TestDatabase, options: { pooling?: boolean } = {}): Promise<CuttingProxy> {
    const target = new URL(database.url);
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = new URL(database.url);
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxy = new CuttingProxy(server, { ...database, url: url.href }, options.pooling ?? false);
    server.on('connection', (client) => proxy.pass(client, connect(Number(target.port || 5432), target.hostname)));
    return proxy;
  }

  /** Cuts the next connection on which a statement with this text passes. */
  cutNext(when: Cut['when'], text: string): void {
    this.cut = { when, text };
  }

  /** The connections that there are pass nothing any more, and nobody is told; new ones work. */
  forget(): void {
    this.forgotten = new WeakSet(this.sockets);
  }

  /** True until the cut has happened. */
  get armed(): boolean {
    return this.cut !== undefined;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(client: Socket, server: Socket): void {
    let cut: Cut | undefined;
    const passes = () => cut === undefined && !this.forgotten.has(client);
    const end = () => [client, server].map((socket) => socket.destroy() && this.sockets.delete(socket));
    for (const socket of [client, server]) this.sockets.add(socket.on('error', end));
    server.on('close', end).on('data', (data) => passes() && client.write(this.pooling ? withOtherProcessId(data) : data));
    client.on('close', () => passes() && end());
    client.on('data', (data) => {
      if (!passes()) return;
      if (!this.cut || !data.includes(this.cut.text)) return void server.write(data);
      cut = this.cut;
      this.cut = undefined;
      client.destroy();
      if (cut.when === 'before') server.destroy();
      else setTimeout(() => server.end(data), cut.when === 'late' ? DELAY : 0);
    });
  }
}

function withOtherProcessId(data: Buffer): Buffer {
  const at = data.indexOf(PROCESS_ID);
  if (at >= 0) data.writeInt32BE(1, at + PROCESS_ID.length);
  return data;
}
