// Preloaded (`node --import`) into a process under test, and by it into its workers: loads the copy of the engine that
// passes its crash points, and kills the process at the one that CRASH_AT names. Erasable syntax only.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Death, Side } from './death.ts';

const { CRASH_ENGINE, CRASH_AT, CRASH_JOURNAL } = process.env;
const death = CRASH_AT ? (JSON.parse(CRASH_AT) as Death) : undefined;
const projectRoot = path.resolve(import.meta.dirname, '../..');
const passes = new Map<string, number>();

registerHooks({
  load(url, context, nextLoad) {
    const copy = url.startsWith('file:') && CRASH_ENGINE ? path.join(CRASH_ENGINE, path.relative(projectRoot, fileURLToPath(url))) : undefined;
    if (!copy || !existsSync(copy)) return nextLoad(url, context);
    return { format: 'module', source: readFileSync(copy, 'utf8'), shortCircuit: true };
  },
});

function pass<T>(name: string, side: Side, value?: T): T | undefined {
  const key = `${side}\t${name}`;
  const count = (passes.get(key) ?? 0) + 1;
  passes.set(key, count);
  const dies = death?.name === name && death.side === side && death.pass === count;
  // Synchronously: whoever reads the journal of a dead process sees all that it has passed.
  if (CRASH_JOURNAL && (dies || (!death && count <= 2))) appendFileSync(CRASH_JOURNAL, `${dies ? 'died' : 'passed'}\t${count}\t${key}\n`);
  if (dies) process.kill(process.pid, 'SIGKILL');
  return value;
}

(globalThis as unknown as Record<string, unknown>)['crashPoint'] = {
  asked: <T>(name: string, promise: T) => pass(name, 'asked', promise),
  answered: <T>(name: string, answer?: T) => pass(name, 'answered', answer),
};
