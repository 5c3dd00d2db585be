import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { Cast } from '../chaos/cast.ts';
import type { Mode } from '../chaos/schedule.ts';
import { Workload } from '../chaos/workload.ts';
import { SubjectProcess } from '../proof/subject-process.ts';
import { isClean, judge, type Verdict } from '../proof/verdict.ts';

const COMMANDS_PER_SECOND = 100;
/** How long effects may take. In ms. */
const DRAIN_PATIENCE = 60_000;

/** The application under test on databases that move: two processes of it, and a workload. */
export class Application {
  readonly cast: Cast;
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'nestbox-elsewhere-'));

  constructor(env: Readonly<Record<string, string>>, mode: Mode = 'in-process') {
    const events = mode === 'in-process' ? mode : 'nats';
    this.cast = new Cast(mode, (role) => new SubjectProcess({ env: { NO_COLOR: '1', EVENTS: events, ...env, ROLE: role }, log: path.join(this.folder, 'log') }));
  }

  /** Everything that its processes have printed. */
  get log(): string {
    return readFileSync(path.join(this.folder, 'log'), 'utf8');
  }

  /** Sends commands for a while, or until `meanwhile` is done. @returns the highest step of each basket that was answered */
  async work(meanwhile: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
    const workload = new Workload(this.cast, COMMANDS_PER_SECOND);
    try {
      await meanwhile();
    } finally {
      await workload.stop();
    }
    return workload.answers.highest;
  }

  async close(): Promise<void> {
    await this.cast.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits for the effects. The last verdict if they do not come. */
export async function drained(url: string, acknowledged: ReadonlyMap<string, number>): Promise<Verdict> {
  const client = new pg.Client({ connectionString: url, application_name: 'nestbox test' });
  await client.connect();
  const patience = performance.now() + DRAIN_PATIENCE;
  try {
    for (;;) {
      const verdict = await judge(client, acknowledged);
      if (isClean(verdict) || performance.now() > patience) return verdict;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await client.end();
  }
}

export const clean: Verdict = { lost: [], doubled: [], reordered: [], uncaused: [], unacknowledged: [] };

export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000));
}
