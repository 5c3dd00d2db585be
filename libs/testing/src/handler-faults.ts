import type { DomainEvent } from '@nestbox/kernel';
import type { EventHandler, EventSource, LanePosition, SourcedEvent } from '@nestbox/messaging';

/** After this time a reader looks again for what was held back, in ms. */
const HELD_BACK_MS = 100;
/** Events of a lane that are kept to be delivered again. */
const REMEMBERED = 10;

/**
 * What goes wrong around one event handler, for a test: the handler fails, its events are delivered again, or in the
 * wrong order. Each fault is counted, so that a test can show that it did happen.
 */
export class HandlerFaults<E extends DomainEvent = DomainEvent> {
  /** Every event that the handler was given, in order; also those on which it was made to fail. */
  readonly given: E[] = [];
  readonly injected = { failures: 0, duplicates: 0, reorderings: 0 };
  private readonly delivered = new Map<number, SourcedEvent[]>();
  private readonly handle: (event: E) => unknown;
  private failing: ((event: E) => boolean) | undefined;
  private error: Error = new Error();
  private duplicating = false;
  private reorderings = 0;

  /** @param instance the handler that runs; its `handle` is wrapped until {@link remove} */
  constructor(private readonly events: EventHandler['events'], private readonly instance: { handle(event: E): unknown }) {
    this.handle = instance.handle.bind(instance);
    instance.handle = async (event) => {
      this.given.push(event);
      if (this.failing?.(event)) {
        this.injected.failures += 1;
        throw this.error;
      }
      return this.handle(event);
    };
  }

  /** From now on the handler throws, for every event or for those that match. */
  fail(matching: (event: E) => boolean = () => true, error = new Error('a failure that the test has injected')): this {
    this.failing = matching;
    this.error = error;
    return this;
  }

  /** From now on every event comes twice, and old ones come again before new ones. */
  duplicate(): this {
    this.duplicating = true;
    return this;
  }

  /** The next `times` times an event is held back until another of its lane has come, and the two come in the wrong order. */
  reorder(times = 1): this {
    this.reorderings = times;
    return this;
  }

  /** Ends all faults; what was injected stays counted. */
  heal(): this {
    this.failing = undefined;
    this.duplicating = false;
    this.reorderings = 0;
    return this;
  }

  /** Takes itself out of the handler's way. */
  remove(): void {
    this.heal();
    this.instance.handle = this.handle;
  }

  /** What the reader gets instead of these events of a lane. */
  disturb(lane: number, events: readonly SourcedEvent[]): SourcedEvent[] {
    if (!events.some((event) => this.events.has(event.type))) return [...events];
    return this.repeated(lane, this.reordered(events));
  }

  private reordered(events: readonly SourcedEvent[]): SourcedEvent[] {
    const [first, second, ...rest] = events;
    if (this.reorderings === 0) return [...events];
    if (!second) return [];
    this.reorderings -= 1;
    this.injected.reorderings += 1;
    return [second, first!, ...rest];
  }

  private repeated(lane: number, events: readonly SourcedEvent[]): SourcedEvent[] {
    const before = this.delivered.get(lane) ?? [];
    this.delivered.set(lane, [...before, ...events].slice(-REMEMBERED));
    if (!this.duplicating || events.length === 0) return [...events];
    this.injected.duplicates += before.length + events.length;
    return [...before, ...events, ...events];
  }
}

/** A source with faults in between. */
export class FaultySource implements EventSource {
  private readonly listeners = new Set<() => void>();

  constructor(private readonly source: EventSource, private readonly faults: () => readonly HandlerFaults[]) {}

  get context(): string {
    return this.source.context;
  }

  get pollMs(): number | undefined {
    return this.source.pollMs;
  }

  start(): Promise<void> {
    return this.source.start();
  }

  stop(): Promise<void> {
    return this.source.stop();
  }

  async fetch(positions: readonly LanePosition[], size: number): Promise<Map<number, SourcedEvent[]>> {
    const fetched = await this.source.fetch(positions, size);
    const faults = this.faults();
    const disturbed = [...fetched].map(([lane, events]) => [lane, faults.reduce((left, fault) => fault.disturb(lane, left), events)] as const);
    const given = disturbed.filter(([, events]) => events.length > 0);
    if (given.length < disturbed.length) setTimeout(() => this.wake(), HELD_BACK_MS).unref();
    return new Map(given);
  }

  async beginnings(): Promise<ReadonlyMap<number, number>> {
    return (await this.source.beginnings?.()) ?? new Map();
  }

  onWake(listener: () => void): () => void {
    const off = this.source.onWake(listener);
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      off();
    };
  }

  certain(n: number): Promise<void> | undefined {
    return this.source.certain?.(n);
  }

  onWithdrawn(listener: (last: number) => void): () => void {
    return this.source.onWithdrawn?.(listener) ?? (() => undefined);
  }

  private wake(): void {
    for (const listener of this.listeners) listener();
  }
}
