import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
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
function send(client: Client, { method, path, body }: LoadRequest, headers: Readonly<Record<string, string>>): Promise<number | string> {
  return new Promise((resolve) => {
    let status = 0;
    client.dispatch(
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
  private readonly latencies: number[] = [];
  private readonly wrong: Record<string, number> = {};

  constructor(private readonly status: number) {}

  note(outcome: number | string, latency: number): void {
    this.latencies.push(latency);
    if (outcome !== this.status) this.wrong[outcome] = (this.wrong[outcome] ?? 0) + 1;
  }

  result(seconds: number): LoadResult {
    const sorted = Float64Array.from(this.latencies).toSorted();
    return { answers: sorted.length, seconds, p50: quantile(Array.from(sorted), 0.5), p99: quantile(Array.from(sorted), 0.99), wrong: this.wrong };
  }
}

let clients: Client[] = [];
let [url, next] = ['', 0];

/** Keeps its connections from one call to the next, as long as the server is the same. */
function connect({ url: to, connections }: Target): readonly Client[] {
  if (to !== url || clients.length !== connections) clients = Array.from({ length: connections }, () => new Client(to, { pipelining: 1 }));
  url = to;
  return clients;
}

function headersOf({ headers, requests }: Target): Record<string, string> {
  return { ...headers, ...(requests[0]!.body !== undefined && { 'content-type': 'application/json' }) };
}

serve(
  {
    /** Each connection sends its next request when the last is answered: `limit` requests, or as many as go in so many seconds. */
    async closed(target: Target & { seconds?: number; limit?: number }): Promise<LoadResult> {
      const { seconds = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY, requests } = target;
      const [tally, headers, begun] = [new Tally(target.status), headersOf(target), performance.now()];
      let sent = 0;
      const caller = async (client: Client) => {
        while (performance.now() - begun < seconds * 1_000 && sent++ < limit) {
          const at = performance.now();
          tally.note(await send(client, requests[next++ % requests.length]!, headers), performance.now() - at);
        }
      };
      await Promise.all(connect(target).map(caller));
      return tally.result((performance.now() - begun) / 1_000);
    },

    /** So many requests a second, whatever becomes of those before; a latency begins when a request was due, also while no connection is free. */
    async open(target: Target & { perSecond: number; seconds: number }): Promise<LoadResult> {
      const { perSecond, seconds, requests } = target;
      const [tally, headers, begun] = [new Tally(target.status), headersOf(target), performance.now()];
      const connected = connect(target);
      const running: Promise<void>[] = [];
      const total = Math.round(perSecond * seconds);
      for (let sent = 0; sent < total; await sleep(1)) {
        for (const due = Math.min(total, ((performance.now() - begun) / 1_000) * perSecond); sent < due; sent++) {
          const at = begun + (sent / perSecond) * 1_000;
          running.push(send(connected[sent % connected.length]!, requests[next++ % requests.length]!, headers).then((outcome) => tally.note(outcome, performance.now() - at)));
        }
      }
      await Promise.all(running);
      return tally.result((performance.now() - begun) / 1_000);
    },
  },
  async () => {
    await Promise.all(clients.map((client) => client.close()));
  },
);
