import type { Consumer, ConsumerMessages, ConsumerNotification, JsMsg } from '@nats-io/jetstream';
import { Logger, type LoggerService } from '@nestjs/common';
import type { SourcedEvent } from '../envelope.js';
import type { EventSource, LanePosition } from '../source.js';
import type { NatsConnection } from './connection.js';
import { MalformedEvent, decodeEvent, numberOf } from './event-codec.js';
import { LaneBuffer, type LaneGap } from './lane-buffer.js';
import { Backoff, Pause } from './pause.js';
import { RefillAsker } from './refill-requests.js';
import { createdAt, findStream } from './stream.js';
import type { Subjects } from './subjects.js';

const POLL_MS = 1_000;
/** How long one full lane may hold up the others before it gives up its place. */
const ROOM_WAIT_MS = 500;
const FORGET_LANE_AFTER_MS = 30_000;
/** A lane this many messages behind is looked up before everything in between is read for it. */
const FAR_BEHIND = 1_000;

/** After these the client goes on with whatever stream is there by then; only opening anew compares what it is. */
const DOUBTFUL = new Set<ConsumerNotification['type']>([
  'heartbeats_missed', 'consumer_not_found', 'stream_not_found', 'consumer_deleted', 'ordered_consumer_recreated', 'reset', 'no_responders', 'exceeded_limits',
]);

export interface JetStreamSourceOptions {
  /** Whose events these are. */
  readonly context: string;
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  /** How many unread events of a lane are kept in memory. */
  readonly bufferPerLane?: number;
  readonly logger?: LoggerService;
}

interface Opened {
  readonly created: string;
  /** The lanes it was opened for; of others that were asked for since it may have passed events. */
  readonly lanes: ReadonlySet<LaneBuffer>;
  readonly fromFirst: boolean;
  readonly consumer: Consumer;
  readonly messages: ConsumerMessages;
}

/**
 * The events of one context from its stream: one ordered consumer for all lanes that are asked for. What has been read
 * is decided by the event numbers alone; stream sequences only say where to open, and only for the stream they are of.
 */
export class JetStreamSource implements EventSource {
  readonly context: string;
  private readonly stream: string;
  private readonly logger: LoggerService;
  private readonly limit: number;
  private readonly lanes = new Map<number, LaneBuffer>();
  private readonly listeners = new Set<() => void>();
  private readonly pause = new Pause();
  private readonly room = new Pause();
  /** Between two openings; ended by a stop only, so that one opening grants many wishes. */
  private readonly spacing = new Pause();
  private readonly backoff = new Backoff(500, 1_000);
  private readonly asker: RefillAsker;
  private unsubscribe = () => {};
  private running: Promise<void> | undefined;
  private opened: Opened | undefined;
  private stopping = false;
  private reopen = false;
  private waking = false;
  /** Everything that is in the stream has been read. */
  private atEnd = false;
  private lastProblem: string | undefined;

  constructor(private readonly options: JetStreamSourceOptions) {
    this.context = options.context;
    this.stream = options.subjects.stream(options.context);
    this.logger = options.logger ?? new Logger(`JetStream ${options.context}`);
    this.limit = options.bufferPerLane ?? 1_000;
    this.asker = new RefillAsker(options.connection, options.subjects.refill(options.context));
  }

  async start(): Promise<void> {
    const off = this.options.connection.onConnect(() => this.openAnew());
    this.unsubscribe = () => void off();
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.unsubscribe();
    this.openAnew();
    this.pause.end();
    this.room.end();
    this.spacing.end();
    await this.running;
  }

  async fetch(positions: readonly LanePosition[], size: number): Promise<Map<number, SourcedEvent[]>> {
    const now = performance.now();
    const found = new Map<number, SourcedEvent[]>();
    for (const position of positions) {
      let buffer = this.lanes.get(position.lane);
      if (!buffer?.covers(position.n)) {
        buffer = new LaneBuffer(position, this.limit);
        this.lanes.set(position.lane, buffer);
        this.openAnew();
      }
      buffer.askedAt = now;
      const events = buffer.after(position, size);
      if (events.length > 0) found.set(position.lane, events);
      if (buffer.wantsMore) this.openAnew();
    }
    // Not before the end was reached: what a lane misses may come again further on.
    if (this.atEnd) this.asker.ask(this.gaps);
    for (const [lane, { askedAt }] of this.lanes) if (now - askedAt > FORGET_LANE_AFTER_MS) this.lanes.delete(lane);
    this.room.wake();
    return found;
  }

  onWake(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What keeps events from arriving, for health checks; empty when nothing does. */
  problems(): string[] {
    const gaps = this.gaps.map((gap) => this.describe(gap));
    return this.lastProblem ? [this.lastProblem, ...gaps] : gaps;
  }

  private get gaps(): LaneGap[] {
    return [...this.lanes.values()].flatMap(({ gap }) => gap ?? []);
  }

  private openAnew(): void {
    this.reopen = true;
    this.opened?.messages.stop();
    this.pause.wake();
    this.room.wake();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      if (this.options.connection.status() !== 'connected' || this.lanes.size === 0) {
        await this.pause.for(POLL_MS);
        continue;
      }
      try {
        this.reopen = false;
        this.opened = await this.open();
        if (await this.follow(this.opened)) this.backoff.reset();
      } catch (error) {
        this.report((error as Error).message);
      } finally {
        await this.close();
      }
      await this.spacing.for(this.backoff.next());
    }
  }

  private async open(): Promise<Opened> {
    const { connection } = this.options;
    const lanes = [...this.lanes];
    for (const [, buffer] of lanes) buffer.overflowed = false;
    const info = await findStream(connection.jsm, this.stream);
    if (!info) throw new Error(`There is no stream ${this.stream} yet: waiting for the service that owns "${this.context}" to declare it.`);
    const created = createdAt(info);
    const { first_seq: first, last_seq: last } = info.state;
    const starts = await Promise.all(lanes.map(([lane, buffer]) => this.startOf(lane, buffer, created, last)));
    const start = Math.max(1, Math.min(...starts));
    const consumer = await connection.js.consumers.get(this.stream, { opt_start_seq: start, inactive_threshold: 60_000 });
    if (!(await this.isStill(created))) throw new Error(`Stream ${this.stream} was recreated while it was being opened.`);
    this.atEnd = start > last;
    const messages = await consumer.consume({ max_messages: 1_000, expires: 10_000, idle_heartbeat: 2_000 });
    if (this.lastProblem) this.logger.log(`Reading stream ${this.stream} again.`);
    this.lastProblem = undefined;
    return { created, lanes: new Set(lanes.map(([, buffer]) => buffer)), fromFirst: start <= Math.max(first, 1), consumer, messages };
  }

  private async isStill(created: string): Promise<boolean> {
    const info = await findStream(this.options.connection.jsm, this.stream);
    return info !== undefined && createdAt(info) === created;
  }

  /** The sequence from which the stream has to be read for a lane. */
  private async startOf(lane: number, buffer: LaneBuffer, created: string, last: number): Promise<number> {
    if (buffer.gap?.created === created) return last + 1;
    const hint = buffer.tailHint;
    if (buffer.hintMisled) return 1;
    const start = hint?.created === created ? hint.sequence + 1 : 1;
    if (last - start < FAR_BEHIND) return start;
    const newest = await this.options.connection.jsm.streams.getMessage(this.stream, { last_by_subj: this.options.subjects.lane(this.context, lane) });
    const n = numberOf(newest?.header)?.n ?? 0;
    return n <= buffer.tail ? last + 1 : start;
  }

  /** Takes messages in until the stream has to be opened anew. @returns whether any was taken */
  private async follow(opened: Opened): Promise<boolean> {
    void this.watch(opened.messages);
    let progress = false;
    if (this.reopen) return progress;
    for await (const message of opened.messages) {
      progress = (await this.take(message, opened)) || progress;
      this.atEnd = message.info.pending === 0;
      if (this.reopen) break;
    }
    return progress;
  }

  private async watch(messages: ConsumerMessages): Promise<void> {
    for await (const status of messages.status()) {
      if (DOUBTFUL.has(status.type) && this.opened?.messages === messages) this.openAnew();
    }
  }

  private async take(message: JsMsg, opened: Opened): Promise<boolean> {
    const lane = this.options.subjects.laneOf(message.subject);
    const buffer = this.lanes.get(lane);
    if (!buffer || !opened.lanes.has(buffer)) return false;
    const event = this.decode(message, opened.created);
    if (!event || event.lane !== lane) return false;
    switch (buffer.relationOf(event)) {
      case 'known':
        return false;
      case 'gap':
        if (!buffer.overflowed) this.missed(buffer, event, opened);
        return false;
      case 'next':
        if (buffer.full && !(await this.waitForRoom(buffer))) {
          buffer.overflowed = true;
          return false;
        }
        // The wait may have moved the chain on.
        if (buffer.relationOf(event) !== 'next') return false;
        buffer.append(event);
        buffer.gap = undefined;
        buffer.hintMisled = false;
        this.wake();
        return true;
    }
  }

  private missed(buffer: LaneBuffer, event: SourcedEvent, { created, fromFirst }: Opened): void {
    if (!fromFirst) {
      if (buffer.gap) return;
      buffer.hintMisled = true;
      this.openAnew();
    } else if (buffer.gap?.created !== created) {
      buffer.hintMisled = false;
      buffer.gap = { lane: event.lane, n: buffer.tail, missing: event.prev, created };
      this.logger.error(this.describe(buffer.gap));
    }
  }

  private async waitForRoom(buffer: LaneBuffer): Promise<boolean> {
    const end = performance.now() + ROOM_WAIT_MS;
    while (buffer.full && !buffer.overflowed && !this.reopen) {
      const left = end - performance.now();
      if (left <= 0) return false;
      await this.room.for(left);
    }
    return !buffer.full && !buffer.overflowed;
  }

  private decode(message: JsMsg, created: string): SourcedEvent | undefined {
    try {
      return { ...decodeEvent(message), hint: { created, sequence: message.seq } };
    } catch (error) {
      if (!(error instanceof MalformedEvent)) throw error;
      this.logger.error(`Stream ${this.stream}, sequence ${message.seq} (${message.subject}): ${error.message} It is skipped; only the relay may publish there.`);
      return undefined;
    }
  }

  private async close(): Promise<void> {
    const opened = this.opened;
    this.opened = undefined;
    if (!opened) return;
    opened.messages.stop();
    // The server would drop it by itself after a while; most often the reason to close is that it is gone.
    if (this.options.connection.status() === 'connected') await opened.consumer.delete().catch(() => undefined);
  }

  /** Many events arrive in one go: listeners hear of them once. */
  private wake(): void {
    if (this.waking) return;
    this.waking = true;
    setImmediate(() => {
      this.waking = false;
      for (const listener of this.listeners) listener();
    });
  }

  private report(problem: string): void {
    if (problem !== this.lastProblem) this.logger.warn(problem);
    this.lastProblem = problem;
  }

  private describe({ lane, n, missing }: LaneGap): string {
    return `Stream ${this.stream} has lost event ${missing} of lane ${lane}, which stands at ${n} and waits. The relay of "${this.context}" is asked to publish it again.`;
  }
}
