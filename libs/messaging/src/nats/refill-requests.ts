import type { Msg, Subscription } from '@nats-io/transport-node';
import type { LoggerService } from '@nestjs/common';
import type { RelayLog } from '../relay-log.js';
import type { LanePosition } from '../source.js';
import type { NatsConnection } from './connection.js';
import type { Subjects } from './subjects.js';

export interface RefillRequestsOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  readonly log: RelayLog;
  readonly logger: LoggerService;
  /** Whether this process is the one to answer, and not at it already. */
  readonly open: () => boolean;
  /** Called for every request that is kept. */
  readonly onRequest: () => void;
}

const ASK_EVERY_MS = 2_000;

/**
 * Asks the relay of a context to publish again what the stream has lost. Nothing answers, and the request itself may
 * be lost: whoever still misses the events asks again.
 */
export class RefillAsker {
  private askedAt = -ASK_EVERY_MS;

  constructor(private readonly connection: NatsConnection, private readonly subject: string) {}

  /** @param positions of lanes whose next event is not in the stream; asked for every 2 s at most */
  ask(positions: readonly LanePosition[]): void {
    if (positions.length === 0 || performance.now() - this.askedAt < ASK_EVERY_MS || this.connection.status() !== 'connected') return;
    this.askedAt = performance.now();
    for (const { lane, n } of positions) this.connection.client.publish(this.subject, JSON.stringify({ lane, n }));
  }
}

/** What readers miss, as the relay of their context hears of it. */
export class RefillRequests {
  /** Per lane the lowest position. */
  private readonly missed = new Map<number, number>();
  private readonly inVain = new Set<string>();
  private subscription: Subscription | undefined;
  private off = () => {};

  constructor(private readonly options: RefillRequestsOptions) {}

  start(): void {
    const { connection } = this.options;
    const off = connection.onConnect(() => this.subscribe());
    this.off = () => void off();
    if (connection.status() === 'connected') this.subscribe();
  }

  stop(): void {
    this.off();
    this.subscription?.unsubscribe();
  }

  get waiting(): boolean {
    return this.missed.size > 0;
  }

  /** The lowest position behind which something is missed that the log still has; all are forgotten. Infinity for none. */
  async lowest(): Promise<number> {
    const { log, logger } = this.options;
    const missed = [...this.missed].map(([lane, n]) => ({ lane, n }));
    this.missed.clear();
    if (missed.length === 0) return Number.POSITIVE_INFINITY;
    const kept = new Map((await log.followed(missed)).map(({ lane, n }) => [lane, n]));
    for (const { lane, n } of missed.filter((position) => !kept.has(position.lane))) {
      this.inVain.add(`${lane} ${n}`);
      logger.error(`A reader of "${log.context}" stands at event ${n} of lane ${lane}; what follows is neither in the stream nor in the outbox any more. Rebuild it, or set it to where the log begins.`);
    }
    return Math.min(...kept.values());
  }

  private subscribe(): void {
    const { connection, subjects, log } = this.options;
    // It outlives a lost connection: the client renews it.
    this.subscription ??= connection.client.subscribe(subjects.refill(log.context), { callback: (error, message) => void (error ?? this.hear(message)) });
  }

  private hear(message: Msg): void {
    const position = positionIn(message.string());
    if (!position || !this.options.open()) return;
    const { lane, n } = position;
    if (this.inVain.has(`${lane} ${n}`)) return;
    this.missed.set(lane, Math.min(n, this.missed.get(lane) ?? n));
    this.options.onRequest();
  }
}

function positionIn(text: string): LanePosition | undefined {
  try {
    const { lane, n } = JSON.parse(text) as Partial<LanePosition>;
    return Number.isSafeInteger(lane) && Number.isSafeInteger(n) ? { lane: lane!, n: n! } : undefined;
  } catch {
    return undefined;
  }
}
