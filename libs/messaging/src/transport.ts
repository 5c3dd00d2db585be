import type { ContextDatabase } from '@nestbox/persistence';
import { FreshEvents } from './fresh-events.js';
import type { RelayLog } from './relay-log.js';
import type { EventSource } from './source.js';
import { LogSource } from './log-source.js';
import type { WakeUps } from './wake-ups.js';

/** Something that is started with the engine and stopped with it. */
export interface Running {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How events get from the context that publishes them to those that read them. */
export interface EventTransport extends Running {
  /** The events of a context, for one reader. */
  source(context: string): EventSource;
  /** Where the sequencer of a context leaves what it has just numbered, for whoever here reads the log itself. */
  fresh(context: string): FreshEvents;
  /** Copies a context's log to where sources read it; undefined when they read the log itself. */
  relay(log: RelayLog): Running | undefined;
  /**
   * Asked before anything starts on a database that was restored or has failed over, and whose log ends at `head`.
   * @throws UsageError when events were published that the database has lost
   */
  admit?(context: string, head: number): Promise<void>;
  /** True while events can travel. */
  healthy(): boolean;
  /** What keeps events from travelling, for people. */
  problems(): string[];
}

/** All contexts in one process, no broker: readers follow the publishing context's log itself. */
export class InProcessTransport implements EventTransport {
  private readonly freshOf = new Map<string, FreshEvents>();

  constructor(private readonly databaseOf: (context: string) => ContextDatabase, private readonly wakeUps: WakeUps) {}

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  source(context: string): EventSource {
    return new LogSource(this.databaseOf(context), this.wakeUps, this.fresh(context));
  }

  fresh(context: string): FreshEvents {
    const fresh = this.freshOf.get(context) ?? new FreshEvents(true);
    this.freshOf.set(context, fresh);
    return fresh;
  }

  relay(): undefined {
    return undefined;
  }

  healthy(): boolean {
    return true;
  }

  problems(): string[] {
    return [];
  }
}
