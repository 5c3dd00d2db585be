import type { StoredEvent } from './envelope.js';

/** What a relay needs of the context whose log it copies. */
export interface RelayLog {
  readonly context: string;
  /** Log rows with a number above `after`, in order, without holes. */
  read(after: number, limit: number): Promise<StoredEvent[]>;
  /** Tries to become (or stay) the one relay of this context; false while a living process is. */
  acquire(): Promise<boolean>;
  /** True while this process' lease is certain; checked before anything is sent. */
  owned(): boolean;
  release(): Promise<void>;
  /** Notes how far the stream is, for display and retention only. */
  note(n: number): Promise<void>;
  /** Calls `listener` when the log may have grown. Returns how to stop listening. */
  onWake(listener: () => void): () => void;
}
