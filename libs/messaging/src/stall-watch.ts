import { AsyncLocalStorage } from 'node:async_hooks';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { BatchContext } from './batch-context.js';
import type { StoredEvent } from './envelope.js';
import type { Blocker, StallNote, StallWatchData } from './stall-worker.js';

/** How often the main thread shows that it lives, in ms. */
const SIGN_OF_LIFE_EVERY_MS = 100;
/** A silence that is looked into, in ms, unless a process may be silent for even less. */
const LOOK_INTO_AFTER_MS = 1_000;
/** How many notes are kept for lanes that have not asked yet. */
const NOTES_KEPT = 100;

const delivering = new AsyncLocalStorage<Blocker>();

// Where the watching thread, through the debugger, finds what a blocked main thread is at.
(globalThis as Record<symbol, unknown>)[Symbol.for('nestbox.delivering')] = () => JSON.stringify(delivering.getStore() ?? null);

/** A handler has kept the event loop, and by that the whole process, from everything else. */
export class BlockedEventLoop extends Error {
  /**
   * @param tookMs at least
   * @param incurable whether it took so long that the process counted as dead
   */
  constructor(reason: string, readonly tookMs: number, readonly incurable: boolean) {
    super(`${reason} Nothing else in the process can go on meanwhile: give way now and then (\`await setImmediate()\`), or compute in a worker thread.`);
    this.name = new.target.name;
  }
}

/**
 * Finds out which event handler it is when the event loop stands still: a thread of its own asks the main thread's
 * debugger in which delivery it is and where. What it finds is told here; when the silence lasts so long that the process
 * counts as dead, it is written down for whoever takes over.
 */
export class StallWatch {
  private readonly shared = new BigInt64Array(new SharedArrayBuffer(8));
  private readonly notes: StallNote[] = [];
  private worker: Worker | undefined;
  private port: MessagePort | undefined;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param stallMaxMs silence after which the process counts as dead
   * @param warn told of everything that blocks the event loop for long
   */
  constructor(private readonly stallMaxMs: number, private readonly warn: (message: string) => void) {}

  start(): void {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.shared[0] = process.hrtime.bigint();
    this.timer = setInterval(() => this.signOfLife(), SIGN_OF_LIFE_EVERY_MS).unref();
    const file = import.meta.url.endsWith('.ts') ? './stall-worker.ts' : './stall-worker.js';
    const lookIntoAfterMs = Math.min(LOOK_INTO_AFTER_MS, this.stallMaxMs / 2);
    const workerData: StallWatchData = { shared: this.shared, port: port2, stallMaxMs: this.stallMaxMs, lookIntoAfterMs };
    this.worker = new Worker(new URL(file, import.meta.url), { workerData, transferList: [port2] });
    this.worker.unref();
    port1.unref();
    this.worker.on('error', (error) => this.warn(`Whoever blocks the event loop is not found any more, the watching thread has failed: ${error.message}`));
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.worker?.terminate();
    this.port?.close();
  }

  /** Runs a handler; until it has ended, whatever it does is done in its name. */
  watched<T>(context: BatchContext, event: StoredEvent, handler: string, work: () => Promise<T>): Promise<T> {
    return delivering.run(place(context, event, handler), work);
  }

  /** Runs one event that is under suspicion: it did it when nothing better is found out. */
  async accompany(context: BatchContext, event: StoredEvent, work: () => Promise<void>): Promise<void> {
    this.port?.postMessage(place(context, event, null));
    try {
      await work();
    } finally {
      this.port?.postMessage(null);
    }
  }

  /** Which of these events have blocked the event loop, and by which handler. Each is told once. */
  blockersAmong<E extends StoredEvent>({ reader, source }: BatchContext, events: readonly E[]): { event: E; handler: string; error: BlockedEventLoop }[] {
    this.readNotes();
    return events.flatMap((event) => {
      const found = this.notes.findIndex(({ blocker }) => blocker?.reader === reader && blocker.source === source && blocker.n === event.n && blocker.handler !== null);
      if (found < 0) return [];
      const [{ blocker, reason, silentMs, final }] = this.notes.splice(found, 1) as [StallNote];
      return [{ event, handler: blocker!.handler!, error: new BlockedEventLoop(reason, silentMs, final) }];
    });
  }

  private signOfLife(): void {
    Atomics.store(this.shared, 0, process.hrtime.bigint());
    this.readNotes();
  }

  private readNotes(): void {
    if (!this.port) return;
    for (let received = receiveMessageOnPort(this.port); received; received = receiveMessageOnPort(this.port)) {
      const note = received.message as StallNote;
      this.warn(note.reason);
      // The last word on the same silence counts.
      if (note.final) this.notes.pop();
      this.notes.push(note);
      if (this.notes.length > NOTES_KEPT) this.notes.shift();
    }
  }
}

function place({ db, reader, source }: BatchContext, { lane, n }: StoredEvent, handler: string | null): Blocker {
  return { url: db.url, schema: db.schema, reader, source, lane, n, handler };
}
