/** How often one handler is named, in ms. */
const NAME_EVERY_MS = 60_000;

/** Names handlers that take long in the log, each now and then. */
export class SlowHandlers {
  private readonly named = new Map<string, number>();

  constructor(private readonly warn: (message: string) => void) {}

  note(handler: string, tookMs: number): void {
    const now = performance.now();
    if (now - (this.named.get(handler) ?? -Infinity) < NAME_EVERY_MS) return;
    this.named.set(handler, now);
    this.warn(`${handler} took ${Math.round(tookMs)} ms for one event. The rows it has locked and the other events of its lane wait meanwhile: let it work on its context's database alone, in few statements.`);
  }
}
