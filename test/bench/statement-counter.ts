import { createServer, connect, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

const TYPE_QUERY = 'Q'.charCodeAt(0);
const TYPE_EXECUTE = 'E'.charCodeAt(0);

/** Stands between a process and Postgres, and counts the statements that it passes on. */
export class StatementCounter {
  count = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server, private readonly target: URL) {}

  static async start(databaseUrl: string): Promise<StatementCounter> {
    const server = createServer();
    const counter = new StatementCounter(server, new URL(databaseUrl));
    server.on('connection', (socket) => counter.connect(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return counter;
  }

  /** The database's address, by way of this counter. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private connect(client: Socket): void {
    const server = connect({ host: this.target.hostname, port: Number(this.target.port || 5432) });
    for (const [from, to] of [[client, server], [server, client]] as const) {
      this.sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    server.pipe(client);
    let rest = Buffer.alloc(0);
    let greeted = false;
    client.on('data', (chunk: Buffer) => {
      server.write(chunk);
      rest = Buffer.concat([rest, chunk]);
      // The first message of a connection has no type; each other one is a type, a length that counts itself, and data.
      for (;;) {
        const start = greeted ? 1 : 0;
        if (rest.length < start + 4) return;
        const end = start + rest.readInt32BE(start);
        if (rest.length < end) return;
        if (greeted && (rest[0] === TYPE_QUERY || rest[0] === TYPE_EXECUTE)) this.count++;
        greeted = true;
        rest = rest.subarray(end);
      }
    });
  }
}
