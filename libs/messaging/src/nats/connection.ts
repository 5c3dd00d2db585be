import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, wsconnect, type ConnectionOptions, type NatsConnection as Client } from '@nats-io/transport-node';
import { Logger, type LoggerService } from '@nestjs/common';
import { UsageError } from '@nestbox/kernel';
import { Pause } from './pause.js';

const RETRY_MS = 500;
const ATTEMPTS_PER_REMINDER = 20;
const DRAIN_LIMIT_MS = 5_000;

export interface NatsConnectionOptions {
  /** `nats://[user:password@]host:port` (or tls, ws, wss); several servers of a cluster separated by commas. */
  readonly url: string;
  /** Shown by the server's monitoring. */
  readonly name?: string;
  readonly logger?: LoggerService;
}

/**
 * The one connection of a process to NATS. It never gives up: a server that is down, at start or later, is waited for,
 * and what works over this connection carries on when it is back.
 */
export class NatsConnection {
  private readonly logger: LoggerService;
  private readonly pause = new Pause();
  private readonly connectListeners = new Set<() => void>();
  private open: { client: Client; js: JetStreamClient; jsm: JetStreamManager } | undefined;
  private starting: Promise<void> | undefined;
  private connected = false;
  private closing = false;

  constructor(private readonly options: NatsConnectionOptions) {
    this.logger = options.logger ?? new Logger(NatsConnection.name);
  }

  /**
   * Resolves once connected, however long that takes, or when {@link close} is called meanwhile. Whoever cannot wait
   * need not: what works over this connection begins when it is there.
   */
  start(): Promise<void> {
    this.starting ??= this.dialUntilConnected();
    return this.starting;
  }

  private async dialUntilConnected(): Promise<void> {
    const shown = withoutSecrets(this.options.url);
    let reason = '';
    for (let attempt = 0; !this.closing; attempt++) {
      try {
        const client = await this.dial();
        if (this.closing) return await client.close();
        this.open = { client, js: jetstream(client), jsm: await jetstreamManager(client, { checkAPI: false }) };
        void this.watch(client, shown);
        this.logger.log(`Connected to NATS ${client.info?.version ?? ''} at ${shown}.`);
        this.nowConnected();
        return;
      } catch (error) {
        const { message } = error as Error;
        if (attempt % ATTEMPTS_PER_REMINDER === 0 || message !== reason) {
          reason = message;
          this.logger.warn(`NATS at ${shown} cannot be reached (${reason}). Waiting for it; start it with "nats-server -js", or set NATS_URL.`);
        }
        await this.pause.for(RETRY_MS);
      }
    }
  }

  status(): 'connected' | 'disconnected' {
    return this.connected ? 'connected' : 'disconnected';
  }

  /** @throws UsageError before {@link start} has resolved */
  get client(): Client {
    return this.opened().client;
  }

  get js(): JetStreamClient {
    return this.opened().js;
  }

  get jsm(): JetStreamManager {
    return this.opened().jsm;
  }

  /** Calls `listener` whenever the connection is there, the first time and after it was lost. Returns how to stop listening. */
  onConnect(listener: () => void): () => void {
    this.connectListeners.add(listener);
    return () => this.connectListeners.delete(listener);
  }

  /** Lets messages on their way out go, then closes. Safe to call twice, and while NATS is down. */
  async close(): Promise<void> {
    this.closing = true;
    this.pause.end();
    const client = this.open?.client;
    if (!client || client.isClosed()) return;
    // A drain needs answers of the server: without one it would wait for ever.
    if (this.connected) {
      const limit = setTimeout(() => void client.close(), DRAIN_LIMIT_MS);
      // Of a connection that is lost meanwhile it never hears the end.
      await Promise.race([client.drain().catch(() => undefined), client.closed()]);
      clearTimeout(limit);
    }
    if (!client.isClosed()) await client.close();
    this.connected = false;
  }

  private dial(): Promise<Client> {
    const options = connectionOptions(this.options.url, this.options.name);
    return /^wss?:/.test(this.options.url) ? wsconnect(options) : connect(options);
  }

  private async watch(client: Client, shown: string): Promise<void> {
    for await (const status of client.status()) {
      if (status.type === 'disconnect') {
        if (this.connected && !this.closing) this.logger.warn(`The connection to NATS at ${shown} is lost. Trying again until it is back.`);
        this.connected = false;
      } else if (status.type === 'reconnect') {
        this.logger.log(`Connected to NATS at ${shown} again.`);
        this.nowConnected();
      } else if (status.type === 'error') {
        this.logger.error(`NATS at ${shown}: ${status.error.message}`);
      }
    }
    this.connected = false;
  }

  private nowConnected(): void {
    this.connected = true;
    for (const listener of this.connectListeners) listener();
  }

  private opened() {
    if (!this.open) throw new UsageError('The connection to NATS is used before it is open.', 'await connection.start() first.');
    return this.open;
  }
}

function connectionOptions(url: string, name: string | undefined): ConnectionOptions {
  const urls = url.split(',').map((part) => new URL(part.trim()));
  const { username, password } = urls[0]!;
  const credentials = password !== ''
    ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
    : username !== '' ? { token: decodeURIComponent(username) } : {};
  const web = /^wss?:$/.test(urls[0]!.protocol);
  return {
    servers: urls.map((part) => (web ? `${part.protocol}//${part.host}` : part.host)),
    ...credentials,
    ...(urls[0]!.protocol === 'tls:' ? { tls: {} } : {}),
    ...(name === undefined ? {} : { name }),
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // A connection on which two of these go unanswered is given up.
    pingInterval: 4_000,
    timeout: 5_000,
    noAsyncTraces: true,
  };
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/,]*@/g, '//');
}
