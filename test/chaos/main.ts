import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../../scripts/build.ts';
import { onStopSignal } from '../../scripts/children.ts';
import { fail } from '../../scripts/project.ts';
import { runChaos } from './chaos.ts';
import { FAULTS, type FaultKind, type Mode, MODES } from './schedule.ts';

/** `npm run chaos -- --seed 1 --minutes 2 --mode split [--json]` */
const HELP = `npm run chaos -- [--seed <whole number>] [--minutes <number>] [--mode ${MODES.join(' | ')}] [--only <fault>,…] [--json]`;

const stopping = new AbortController();
onStopSignal(() => stopping.abort(), () => process.exit(130));

const folder = mkdtempSync(path.join(tmpdir(), 'nestbox-chaos-'));
let broken = true;
try {
  const { json, ...chosen } = options();
  const { seed, minutes, mode } = chosen;
  const log = (line: string) => void process.stderr.write(json ? '' : `${line}\n`);
  if (!build()) throw new Error('The sources do not compile.');
  log(`Seed ${seed}, ${minutes} minutes, ${mode}.`);
  const report = await runChaos({ ...chosen, folder, log, signal: stopping.signal });
  broken = report.lost + report.doubled + report.reordered + report.uncaused + report.unacknowledged > 0;
  log(broken ? `BROKEN. Logs: ${folder}` : 'Nothing lost, doubled, reordered or without a cause.');
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = broken ? 1 : 0;
} catch (error) {
  if (!stopping.signal.aborted) fail(error);
  broken = false;
  process.exitCode = 130;
} finally {
  if (!broken) rmSync(folder, { recursive: true, force: true });
}

function options(): { seed: number; minutes: number; mode: Mode; only: FaultKind[]; json: boolean } {
  let values: { seed?: string; minutes?: string; mode?: string; only?: string; json?: boolean };
  try {
    ({ values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string' }, mode: { type: 'string' }, only: { type: 'string' }, json: { type: 'boolean' } } }));
  } catch (error) {
    throw new Error(`${(error as Error).message} Use: ${HELP}`, { cause: error });
  }
  const seed = Number(values.seed ?? 1);
  const minutes = Number(values.minutes ?? 1);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed must be a whole number, not "${values.seed}". Use: ${HELP}`);
  if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error(`--minutes must be a number above 0, at most a day, not "${values.minutes}". Use: ${HELP}`);
  const mode = MODES.find((candidate) => candidate === (values.mode ?? 'in-process'));
  if (!mode) throw new Error(`--mode must be one of ${MODES.join(', ')}, not "${values.mode}". Use: ${HELP}`);
  const named = values.only?.split(',') ?? FAULTS;
  const only = FAULTS.filter((kind) => named.includes(kind));
  if (only.length !== named.length) throw new Error(`--only takes names of ${FAULTS.join(', ')}, separated by commas, not "${values.only}". Use: ${HELP}`);
  return { seed, minutes, mode, only, json: values.json ?? false };
}
