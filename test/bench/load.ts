import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { quantile } from './benchmark.js';
import { serve } from './child.js';

export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: readonly LoadRequest[];
  readonly connections: number;
  /** The status that every answer must have. */
  readonly status: number;
}

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

export interface LoadResult {
  readonly answers: number;
  readonly seconds: number;
  /** Latencies in ms. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that had another status, or none, by what they were. */
  readonly wrong: Readonly<Record<string, number>>;
}

/** Sends one request; resolves with its status, or with what went wrong. */
function send(pool: Pool, { method, path, body }: LoadRequest, headers: Readonly<Record<string, string>>): Promise<number | string> {
  return new Promise((resolve) => {
    let status = 0;
    pool.dispatch(
      { method, path, headers, ...(body !== undefined && { body }) },
      {
        onRequestStart() {},
        onResponseStart: (_, statusCode) => void (status = statusCode),
        onResponseData() {},
        onResponseEnd: () => resolve(status),
        onResponseError: (_, error) => resolve(error.message),
      },
    );
  });
}

/** What comes back, counted. */
class Tally {
  private latencies: number[] = [];
  private wrong: Record<string, number> = {};
  private begun = performance.now();

  constructor(private readonly status: number) {}

  note(outcome: number | string, latency: number): void {
    this.latencies.push(latency);
    if (outcome !== this.status) this.wrong[outcome] = (this.wrong[outcome] ?? 0) + 1;
  }

  /** What has come back since the last look. */
  take(): LoadResult {
    const [sorted, wrong, seconds] = [Array.from(Float64Array.from(this.latencies).toSorted()), this.wrong, (performance.now() - this.begun) / 1_000];
    [this.latencies, this.wrong, this.begun] = [[], {}, performance.now()];
    return { answers: sorted.length, seconds, p50: sorted.length > 0 ? quantile(sorted, 0.5) : 0, p99: sorted.length > 0 ? quantile(sorted, 0.99) : 0, wrong };
  }
}

let pool: Pool | undefined;
let [url, next] = ['', 0];
/** Of the steady load. */
let steady: Tally | undefined;

/** Keeps its connections from one call to the next, as long as the server is the same. */
function connect({ url: to, connections }: Target): Pool {
  if (to !== url) pool = new Pool(to, { connections, pipelining: 1 });
  url = to;
  return pool!;
}

function headersOf({ headers, requests }: Target): Record<string, string> {
  return { ...headers, ...(requests[0]!.body !== undefined && { 'content-type': 'application/json' }) };
}

serve(
  {
    /** Each caller sends its next request when the last is answered: `limit` requests, or as many as go in so many seconds. */
    async closed(target: Target & { seconds?: number; limit?: number }): Promise<LoadResult> {
      const { seconds = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY, requests } = target;
      const [to, tally, headers, begun] = [connect(target), new Tally(target.status), headersOf(target), performance.now()];
      let sent = 0;
      const caller = async () => {
        while (performance.now() - begun < seconds * 1_000 && sent++ < limit) {
          const at = performance.now();
          tally.note(await send(to, requests[next++ % requests.length]!, headers), performance.now() - at);
        }
      };
      await Promise.all(Array.from({ length: target.connections }, caller));
      return tally.take();
    },

    /**
     * So many requests a second, whatever becomes of those before; a latency begins when a request was due, also while no
     * connection is free. Answers, when all are answered, how many there were; the rest is for {@link window}.
     */
    async open(target: Target & { perSecond: number; seconds: number }): Promise<number> {
      const { perSecond, seconds, requests } = target;
      const [to, tally, headers, begun] = [connect(target), (steady = new Tally(target.status)), headersOf(target), performance.now()];
      const total = Math.max(1, Math.round(perSecond * seconds));
      const { promise: allAnswered, resolve } = Promise.withResolvers<void>();
      let answered = 0;
      for (let sent = 0; sent < total; await sleep(1)) {
        for (const due = Math.min(total, ((performance.now() - begun) / 1_000) * perSecond); sent < due; sent++) {
          const at = begun + (sent / perSecond) * 1_000;
          void send(to, requests[next++ % requests.length]!, headers).then((outcome) => {
            tally.note(outcome, performance.now() - at);
            if (++answered === total) resolve();
          });
        }
      }
      await allAnswered;
      return total;
    },

    /** What the steady load has got back since the last look. */
    window: (): LoadResult => steady!.take(),
  },
  async () => {
    await pool?.close();
  },
);
