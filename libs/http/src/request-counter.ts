/** Counts what each caller asks for, in windows that begin with their first request. */
export class RequestCounter {
  /** Those who were silent for longest are the first ones. */
  private readonly windows = new Map<string, { readonly from: number; count: number }>();

  /** @param mostCallers who are remembered; of more, those who were silent for longest start anew */
  constructor(private readonly windowSeconds: number, private readonly mostCallers: number) {}

  /** One more at this moment, in Unix milliseconds: how many it are in the caller's window, and how many seconds of it are left. */
  count(caller: string, now: number): { readonly count: number; readonly seconds: number } {
    const last = this.windows.get(caller);
    const length = this.windowSeconds * 1_000;
    const window = last && now < last.from + length ? last : { from: now, count: 0 };
    window.count++;
    if (last) this.windows.delete(caller);
    else if (this.windows.size >= this.mostCallers) this.windows.delete(this.windows.keys().next().value!);
    this.windows.set(caller, window);
    return { count: window.count, seconds: Math.ceil((window.from + length - now) / 1_000) };
  }
}
