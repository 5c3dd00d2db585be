import type { StoredEvent } from './envelope.js';
import type { LanePosition } from './source.js';

/** An event as a log hands it to its relay. What the database had comes as the JSON text that it is: to be copied, it need not be understood. */
export type LoggedEvent = Omit<StoredEvent, 'payload'> & ({ readonly payload: StoredEvent['payload'] } | { readonly json: string });

/** What a relay needs of the context whose log it copies. */
export interface RelayLog {
  readonly context: string;
  /** Log rows with a number above `after`, in order, without holes. */
  read(after: number, limit: number): Promise<LoggedEvent[]>;
  /** Those of these positions whose next event of the lane is there and still has its contents. */
  followed(positions: readonly LanePosition[]): Promise<LanePosition[]>;
  /** Whether the log has, or had as long as it was kept, an event of this number. After a restore it leaves numbers out. */
  gave(n: number): Promise<boolean>;
  /** Tries to become (or stay) the one relay of this context; false while a living process is. */
  acquire(): Promise<boolean>;
  /** True while this process' lease is certain; checked before anything is sent. */
  owned(): boolean;
  release(): Promise<void>;
  /** Notes how far the stream is, for display and retention only. */
  note(n: number): Promise<void>;
  /** Lists an event that the broker will never take, for a person; a tombstone takes its place. */
  refused(event: LoggedEvent, reason: string): Promise<void>;
  /** The stream ends with event `n`: what was refused behind it is about to be tried again. */
  resumed(n: number): Promise<void>;
  /** Calls `listener` when the log may have grown. Returns how to stop listening. */
  onWake(listener: () => void): () => void;
}
