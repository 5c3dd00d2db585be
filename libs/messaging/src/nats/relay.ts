import { randomUUID } from 'node:crypto';
import { Logger, type LoggerService } from '@nestjs/common';
import type { LoggedEvent, RelayLog } from '../relay-log.js';
import type { NatsConnection } from './connection.js';
import { encodeEvent, encodeTombstone, headerLine } from './event-codec.js';
import { Backoff, Pause } from './pause.js';
import { RefillRequests } from './refill-requests.js';
import { Flight, type Refusal } from './relay-flight.js';
import { type Answered, StreamPublisher } from './stream-publisher.js';
import { RELAY_HEADER, readTail, type StreamTail } from './stream-tail.js';
import { ensureStream } from './stream.js';
import type { Subjects } from './subjects.js';

/** How often to see, in memory, whether a heartbeat has found the relay's place free. */
const ACQUIRE_EVERY_MS = 100;
const POLL_MS = 1_000;
const LOOK_AT_STREAM_EVERY_MS = 5_000;
const READ_SIZE = 512;
/** How many answers may be due. */
const WINDOW = 256;

export interface RelayOptions {
  readonly log: RelayLog;
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  readonly retentionDays: number;
  readonly logger?: LoggerService;
}

/**
 * Copies the log of one context to its stream, in order and without doubles. The stream itself says how far the copy
 * is; every message expects the sequence before it, so whatever is refused, late or sent by somebody who no longer may
 * cannot reorder or double anything. A stream that was deleted, or lost its end, is filled again from the log; when it
 * has lost something else, a reader asks, and the log is copied again from there: a repetition that readers drop.
 */
export class Relay {
  private readonly id = randomUUID();
  private readonly stream: string;
  private readonly logger: LoggerService;
  private readonly publisher: StreamPublisher;
  /** Headers that are the same in every message. */
  private readonly marks: string;
  /** Ended by news in the log, and by the last answer that is due. */
  private readonly idle = new Pause();
  /** Ended by a reconnect only: a poke must not make a loser ask for the lease more often. */
  private readonly retry = new Pause();
  private readonly backoff = new Backoff(50, 5_000);
  private readonly tooLarge = new Map<number, string>();
  private readonly refills: RefillRequests;
  private unsubscribe: (() => void)[] = [];
  private running: Promise<void> | undefined;
  private flight: Flight | undefined;
  private stopping = false;
  private declared = false;
  /** Message ids of this stream are remembered although the messages are gone: sent again, they need another id. */
  private refilling = false;
  /** Up to this event a refill goes that readers have asked for. */
  private refilledTo = 0;
  private foreignProgress = 0;
  private lastProblem: string | undefined;

  constructor(private readonly options: RelayOptions) {
    this.stream = options.subjects.stream(options.log.context);
    this.logger = options.logger ?? new Logger(`Relay ${options.log.context}`);
    this.publisher = new StreamPublisher(options.connection);
    this.marks = headerLine(RELAY_HEADER, this.id) + headerLine('Nats-Expected-Stream', this.stream);
    const open = () => options.log.owned() && (this.flight?.confirmed ?? 0) >= this.refilledTo;
    this.refills = new RefillRequests({ ...options, logger: this.logger, open, onRequest: () => this.idle.wake() });
  }

  /** Starts to copy, in the background. */
  async start(): Promise<void> {
    const { log, connection } = this.options;
    this.unsubscribe = [log.onWake(() => this.idle.wake()), connection.onConnect(() => this.connectedAnew())];
    this.refills.start();
    this.running ??= this.run();
  }

  /** Sends nothing more, waits for the answers that are due, and gives the lease back. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const off of this.unsubscribe) off();
    this.refills.stop();
    this.idle.end();
    this.retry.end();
    await this.running;
    this.publisher.close();
  }

  /** What keeps the relay from copying, for health checks; undefined while nothing does. */
  problem(): string | undefined {
    return this.lastProblem;
  }

  private connectedAnew(): void {
    this.flight?.abandon();
    this.publisher.forget();
    this.idle.wake();
    this.retry.wake();
  }

  private async run(): Promise<void> {
    const { log, connection } = this.options;
    while (!this.stopping) {
      try {
        if (connection.status() !== 'connected') {
          await this.retry.for(POLL_MS);
        } else if (await log.acquire()) {
          await this.copy();
        } else {
          this.declared = false;
          this.lastProblem = undefined;
          await this.retry.for(ACQUIRE_EVERY_MS);
        }
      } catch (error) {
        this.report((error as Error).message);
        await this.retry.for(this.backoff.next());
      }
    }
    await log.release().catch((error: Error) => this.logger.warn(`The lease of the relay could not be given back: ${error.message}`));
  }

  /** Reads how far the stream is, and copies from there until something makes that knowledge doubtful. */
  private async copy(): Promise<void> {
    const tail = await this.tail();
    if (!(await this.agrees(tail))) return;
    const from = await this.startOf(tail);
    // Not when readers have asked for a refill: it comes past what was refused, or else that stays refused.
    if (this.tooLarge.size === 0 && from === tail.n) await this.options.log.resumed(from);
    const flight = new Flight({ sequence: tail.sequence, n: from, window: WINDOW, publish: (...sent) => this.publish(...sent), onEmpty: () => this.idle.wake() });
    this.flight = flight;
    try {
      await this.fly(flight, tail);
    } finally {
      await flight.settled();
      if (flight.confirmed > from) {
        this.backoff.reset();
        this.foreignProgress = 0;
      }
    }
    if (this.stopping) await this.options.log.note(flight.confirmed);
    if (flight.refusal) await this.understand(flight.refusal, flight.confirmed);
  }

  /** The event behind which to go on: the last one of the stream, or one behind which readers miss others. */
  private async startOf(tail: StreamTail): Promise<number> {
    const { confirmed = Number.POSITIVE_INFINITY } = this.flight ?? {};
    // A refill that something has interrupted goes on behind what it has confirmed.
    const from = Math.min(tail.n, confirmed < this.refilledTo ? confirmed : tail.n, await this.refills.lowest());
    if (from === tail.n) return from;
    this.logger.warn(`The stream ${this.stream} has lost events behind number ${from}. All up to ${tail.n} are published again; who has them drops them.`);
    this.refilling = true;
    this.refilledTo = tail.n;
    return from;
  }

  private async fly(flight: Flight, tail: StreamTail): Promise<void> {
    const { log } = this.options;
    const read = () => log.read(flight.sent, READ_SIZE);
    let lookedAt = performance.now();
    let notedAt = 0;
    let rows = await read();
    while (this.maySend(flight)) {
      // The next rows are read while these are on their way.
      const ahead = rows.length === READ_SIZE ? log.read(rows.at(-1)!.n, READ_SIZE) : undefined;
      ahead?.catch(() => undefined);
      await this.send(rows, flight);
      if (rows.length === 0 && flight.empty && !flight.over) {
        this.wentWell();
        if (performance.now() - lookedAt >= LOOK_AT_STREAM_EVERY_MS) {
          if (!(await this.stillThere(tail, flight))) return;
          lookedAt = performance.now();
        }
      }
      if (performance.now() - notedAt >= POLL_MS) {
        await log.note(flight.confirmed);
        notedAt = performance.now();
      }
      if (rows.length === 0 && !flight.empty) await this.answersOrNews();
      else if (rows.length === 0) await this.idle.for(POLL_MS);
      if (!this.maySend(flight)) return;
      const next = ahead ?? read();
      rows = await next;
    }
  }

  /** What is new is sent at once, although answers are due. */
  private answersOrNews(): Promise<void> {
    return this.idle.for(POLL_MS);
  }

  /** A stream that was deleted, recreated or emptied while nothing happened has to be noticed, too. */
  private async stillThere(tail: StreamTail, flight: Flight): Promise<boolean> {
    const now = await readTail(this.options.connection.jsm, this.stream);
    return now?.created === tail.created && now.n === flight.confirmed;
  }

  private async send(rows: readonly LoggedEvent[], flight: Flight): Promise<void> {
    for (const row of rows) {
      while (flight.full && !flight.over) await flight.room();
      if (!this.maySend(flight)) return;
      flight.send(row);
    }
  }

  private maySend(flight: Flight): boolean {
    return !this.stopping && !flight.over && !this.refills.waiting && this.options.log.owned();
  }

  private publish(event: LoggedEvent, expected: number, before: string | undefined, answered: Answered): string {
    const { subjects, log } = this.options;
    const id = this.refilling ? `${event.id}@${expected}` : event.id;
    const last = before === undefined ? '' : headerLine('Nats-Expected-Last-Msg-Id', before);
    const fence = `${this.marks}${headerLine('Nats-Msg-Id', id)}Nats-Expected-Last-Sequence: ${expected}\r\n${last}`;
    const reason = this.tooLarge.get(event.n);
    this.publisher.publish(subjects.event(log.context, event), reason === undefined ? encodeEvent(event, fence) : encodeTombstone(event, reason, fence), answered);
    return id;
  }

  /** The stream's end; a missing stream is declared again. */
  private async tail(): Promise<StreamTail> {
    const { connection, log, subjects, retentionDays } = this.options;
    const found = this.declared ? await readTail(connection.jsm, this.stream) : undefined;
    if (found) return found;
    await ensureStream(connection.jsm, log.context, { subjects, retentionDays, logger: this.logger });
    this.declared = true;
    return this.tail();
  }

  /** Whether the stream's last event is one of this log: streams outlive databases that were dropped or restored. */
  private async agrees(tail: StreamTail): Promise<boolean> {
    if (tail.n === 0) return true;
    const { log } = this.options;
    const [row] = await log.read(tail.n - 1, 1);
    const same = row?.n === tail.n;
    if (same ? row.id === tail.id : await log.gave(tail.n)) return true;
    this.report(
      `Stream ${this.stream} has event ${tail.id} as number ${tail.n}, the log has ${same ? row.id : 'nothing'} there: the stream was filled from another database, or from this one before it was restored to an earlier state, so nothing is published. ` +
        'Delete the stream (the relay fills it again), or give this deployment a NATS_NAMESPACE of its own.',
    );
    await this.idle.for(POLL_MS);
    return false;
  }

  private async understand(refusal: Refusal, confirmed: number): Promise<void> {
    const { event } = refusal;
    const wait = () => this.retry.for(this.backoff.next());
    switch (refusal.kind) {
      case 'too-large':
        if (!this.tooLarge.has(event.n)) return this.bury(event, refusal.error.message);
        // Trying again at once would never end.
        this.report(`Event ${event.n} (${event.id}) is too large for NATS, and so is its tombstone, of headers alone (${refusal.error.message}). Nothing is published until ${this.stream} takes larger messages.`);
        return wait();
      case 'no-stream':
        this.logger.warn(`Stream ${this.stream} does not answer; it is declared again.`);
        this.declared = false;
        return wait();
      case 'duplicate':
      case 'fenced': {
        const now = await this.tail();
        if (now.n > confirmed && now.relay !== this.id) return this.noteForeignProgress();
        if (refusal.kind === 'fenced') return wait();
        this.refilling ||= now.n < event.n;
        return;
      }
      case 'other':
        this.report(`Event ${event.n} (${event.id}) was not published: ${refusal.error.message}. Trying again.`);
        return wait();
    }
  }

  /** Somebody else copies the same log. Once can be the end of a predecessor; twice, and the lease is in doubt. */
  private async noteForeignProgress(): Promise<void> {
    if (++this.foreignProgress < 2) return;
    this.foreignProgress = 0;
    this.logger.warn(`Another process publishes to ${this.stream}: giving the lease back.`);
    await this.options.log.release();
    await this.retry.for(ACQUIRE_EVERY_MS);
  }

  private async bury(event: LoggedEvent, reason: string): Promise<void> {
    await this.options.log.refused(event, reason);
    this.tooLarge.set(event.n, reason);
    this.logger.error(`Event ${event.n} (${event.type} ${event.id}) is too large for NATS (${reason}). A tombstone takes its place.`);
  }

  private wentWell(): void {
    if (this.lastProblem) this.logger.log(`Publishing to ${this.stream} again.`);
    this.lastProblem = undefined;
    this.refilling = false;
    this.tooLarge.clear();
    this.backoff.reset();
  }

  private report(problem: string): void {
    if (problem !== this.lastProblem) this.logger.error(problem);
    this.lastProblem = problem;
  }
}
