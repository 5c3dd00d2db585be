/**
 * "There may be news": a hint, never a guarantee. Whoever listens also polls slowly.
 * Topics: `commit.<context>` (events were committed, the sequencer should look), `log.<context>` (the log grew).
 */
export abstract class WakeUps {
  abstract poke(topic: string): void;
  /** Returns how to stop listening. */
  abstract on(topic: string, listener: () => void): () => void;
}

/** Wake-ups inside one process. */
export class LocalWakeUps extends WakeUps {
  private readonly listeners = new Map<string, Set<() => void>>();

  poke(topic: string): void {
    for (const listener of this.listeners.get(topic) ?? []) listener();
  }

  on(topic: string, listener: () => void): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener));
    return () => set.delete(listener);
  }
}
