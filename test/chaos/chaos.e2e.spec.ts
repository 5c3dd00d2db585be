import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.ts';
import { type ChaosReport, runChaos } from './chaos.ts';
import { MODES } from './schedule.ts';

/** `npm run chaos` does the same for as long as one likes. */
const SEEDS = [1, 2, 3];
const MINUTES = 0.12;

describe.each(MODES)('under faults, %s', (mode) => {
  it('loses, doubles and reorders nothing, with three schedules', { timeout: 240_000 }, async () => {
    expect(build()).toBe(true);
    const reports = await Promise.all(SEEDS.map((seed) => run(seed)));
    for (const { breaks, acknowledged, effects, faults } of reports) {
      expect(breaks).toEqual([]);
      expect(Object.keys(faults).length).toBeGreaterThan(0);
      expect(acknowledged).toBeGreaterThan(0);
      expect(effects).toBeGreaterThan(acknowledged);
    }
  });

  async function run(seed: number): Promise<ChaosReport> {
    const folder = mkdtempSync(path.join(tmpdir(), 'nestbox-chaos-'));
    const lines: string[] = [];
    try {
      const report = await runChaos({ seed, minutes: MINUTES, mode, folder, log: (line) => void lines.push(line) });
      if (report.breaks.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
      return report;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
});
