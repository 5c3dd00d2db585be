/** What hears of a topic. It may answer that it is the one for whom the topic is meant: then nobody elsewhere has to hear of it. */
export type WakeUpListener = () => boolean | void;

/**
 * "There may be news": a hint, never a guarantee. Whoever listens also polls slowly.
 * Topics: `commit.<context>` (events were committed, the sequencer should look), `log.<context>` (the log grew).
 */
export abstract class WakeUps {
  abstract poke(topic: string): void;
  /** Returns how to stop listening. */
  abstract on(topic: string, listener: WakeUpListener): () => void;
}

/** Wake-ups inside one process. */
export class LocalWakeUps extends WakeUps {
  private readonly listeners = new Map<string, Set<WakeUpListener>>();

  /** @returns whether it was meant for a listener here */
  poke(topic: string): boolean {
    let meant = false;
    for (const listener of this.listeners.get(topic) ?? []) meant = listener() === true || meant;
    return meant;
  }

  on(topic: string, listener: WakeUpListener): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener));
    return () => set.delete(listener);
  }
}
