import { createServer, connect, type Server, type Socket } from 'node:net';

/** What happens to the bytes on their way. */
export type Weather = { readonly kind: 'fair' } | { readonly kind: 'slow'; readonly delayMs: number } | { readonly kind: 'hole' };

/**
 * Stands between a client and a server. In a hole nothing arrives and nobody is told: connections stay open, new ones
 * are accepted and get no answer. What was swallowed is not delivered later; connections that lost bytes are cut when
 * the weather clears, as a firewall would that has forgotten them.
 */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private readonly server: Server;
  private target: number;
  private weather: Weather = { kind: 'fair' };

  private constructor(server: Server, target: number) {
    this.server = server;
    this.target = target;
    server.on('connection', (client) => this.accept(client));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return new TcpProxy(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  set(weather: Weather): void {
    this.weather = weather;
    if (weather.kind === 'hole') return;
    for (const pair of this.pairs) if (pair.lost && !pair.forgotten) pair.cut();
  }

  /** Every connection there is falls silent for good, without a word to either end; new ones are served. */
  forget(): void {
    for (const pair of this.pairs) pair.forgotten = pair.lost = true;
  }

  /** From now on new connections go to another port of this machine; those that are open are cut. */
  redirect(targetPort: number): void {
    this.target = targetPort;
    for (const pair of this.pairs) pair.cut();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const pair of this.pairs) pair.cut();
    await closed;
  }

  private accept(client: Socket): void {
    const pair = new Pair(client, connect(this.target, '127.0.0.1'), () => this.weather);
    if (this.weather.kind === 'hole') pair.lost = true;
    this.pairs.add(pair);
    pair.onEnd(() => this.pairs.delete(pair));
  }
}

class Pair {
  /** Bytes were swallowed: it can never work again. */
  lost = false;
  /** Nobody will be told. */
  forgotten = false;
  private readonly client: Socket;
  private readonly server: Socket;
  private readonly weather: () => Weather;

  constructor(client: Socket, server: Socket, weather: () => Weather) {
    this.client = client;
    this.server = server;
    this.weather = weather;
    this.follow(client, server);
    this.follow(server, client);
  }

  /** Calls `listener` once both ends are closed. */
  onEnd(listener: () => void): void {
    for (const end of [this.client, this.server]) end.once('close', () => void (this.client.closed && this.server.closed && listener()));
  }

  cut(): void {
    this.client.destroy();
    this.server.destroy();
  }

  private follow(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.setNoDelay(true);
    from.on('data', (data) => {
      const weather = this.weather();
      if (weather.kind === 'hole' || this.lost) this.lost = true;
      else if (weather.kind === 'slow') last = last.then(() => pause(weather.delayMs)).then(() => this.pass(to, data));
      else last = last.then(() => this.pass(to, data));
    });
    from.on('error', () => undefined);
    // In a hole not even an end arrives.
    from.on('close', () => void (this.forgotten || this.weather().kind === 'hole' ? (this.lost = true) : last.then(() => to.destroy())));
  }

  private pass(to: Socket, data: Buffer): void {
    if (!to.destroyed && !this.lost) to.write(data);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
