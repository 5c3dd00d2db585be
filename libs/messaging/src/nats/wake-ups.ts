import { randomUUID } from 'node:crypto';
import type { Subscription } from '@nats-io/transport-node';
import { LocalWakeUps, type WakeUpListener, WakeUps } from '../wake-ups.js';
import type { NatsConnection } from './connection.js';
import type { Subjects } from './subjects.js';

const COALESCE_MS = 1;

/**
 * Wake-ups among all processes: at once inside this one, and by core NATS, at most one a millisecond and topic, in the
 * others, unless they are meant for this one.
 */
export class NatsWakeUps extends WakeUps {
  private readonly me = randomUUID();
  private readonly local = new LocalWakeUps();
  private readonly topics = new Map<string, { listeners: number; subscription?: Subscription }>();
  /** Topics that were just sent; true when they were poked again since. */
  private readonly sent = new Map<string, boolean>();
  private readonly off: () => void;
  private closed = false;

  constructor(
    private readonly connection: NatsConnection,
    private readonly subjects: Subjects,
  ) {
    super();
    this.off = connection.onConnect(() => this.subscribe());
  }

  poke(topic: string): void {
    if (this.local.poke(topic)) return;
    if (this.sent.has(topic)) this.sent.set(topic, true);
    else this.send(topic);
  }

  on(topic: string, listener: WakeUpListener): () => void {
    const entry = this.topics.get(topic) ?? { listeners: 0 };
    this.topics.set(topic, entry);
    entry.listeners++;
    if (this.connection.status() === 'connected') this.subscribe();
    const off = this.local.on(topic, listener);
    let listening = true;
    return () => {
      if (!listening) return;
      listening = false;
      off();
      if (--entry.listeners > 0) return;
      this.topics.delete(topic);
      entry.subscription?.unsubscribe();
    };
  }

  /** Hears and sends nothing more. */
  close(): void {
    this.closed = true;
    this.off();
    for (const { subscription } of this.topics.values()) subscription?.unsubscribe();
    this.topics.clear();
  }

  /** A poke that cannot be sent is dropped: whoever listens polls, too. */
  private send(topic: string): void {
    if (this.closed || this.connection.status() !== 'connected') return;
    this.connection.client.publish(this.subjects.poke(topic), this.me);
    this.sent.set(topic, false);
    setTimeout(() => {
      const again = this.sent.get(topic);
      this.sent.delete(topic);
      if (again) this.send(topic);
    }, COALESCE_MS);
  }

  private subscribe(): void {
    for (const [topic, entry] of this.topics) {
      // A subscription outlives a lost connection: the client renews it.
      entry.subscription ??= this.connection.client.subscribe(this.subjects.poke(topic), {
        callback: (error, message) => {
          if (!error && message.string() !== this.me) this.local.poke(topic);
        },
      });
    }
  }
}
