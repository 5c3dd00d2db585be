import type { Server } from './application.js';
import type { Measurement } from './benchmark.js';
import type { Child } from './child.js';
import type { Environment } from './environment.js';
import type { LoadRequest, LoadResult } from './load.js';
import { expectAllRight, targetOf } from './orders.js';

/**
 * By number, not by time: what the compiler has seen must not depend on who else computes. So many, because a large
 * application goes on getting faster for tens of thousands of requests, long after a small one is as fast as it will be.
 */
const WARM_UP_REQUESTS = 30_000;
const SECONDS = 10;

export interface Served {
  readonly server: Server;
  /** What is asked of it, again and again. */
  readonly requests: readonly LoadRequest[];
  /** The status of every answer. */
  readonly status: number;
}

/**
 * Load on a server: first until it is warm, then what counts. Answers with the numbers, and how many requests were answered in all.
 * @throws when an answer had another status
 */
export async function measureServer(environment: Environment, load: Child, { server, requests, status }: Served): Promise<{ measured: Measurement; answers: number }> {
  const target = targetOf(server, requests, status);
  const run = (until: { limit: number } | { seconds: number }) => load.call<LoadResult>('closed', { ...target, ...until });
  const warmUp = await run({ limit: environment.size(WARM_UP_REQUESTS) });
  expectAllRight(warmUp);
  await environment.settle();
  const before = await server.usage();
  const { answers, seconds, p50, p99, wrong } = await run({ seconds: Math.max(1, SECONDS * Math.min(1, environment.scale)) });
  const after = await server.usage();
  expectAllRight({ answers, wrong });
  return { measured: { rate: answers / seconds, p50, p99, cpu: ((after.cpuMs - before.cpuMs) * 1_000) / answers }, answers: warmUp.answers + answers };
}
