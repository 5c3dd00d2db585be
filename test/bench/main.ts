import { parseArgs } from 'node:util';
import { UsageError } from '@nestbox/kernel';
import { type Benchmark, run } from './benchmark.js';
import { backlog } from './benchmarks/backlog.js';
import { effects } from './benchmarks/effects.js';
import { http } from './benchmarks/http.js';
import { idle } from './benchmarks/idle.js';
import { instances } from './benchmarks/instances.js';
import { latency } from './benchmarks/latency.js';
import { memory } from './benchmarks/memory.js';
import { query } from './benchmarks/query.js';
import { relay } from './benchmarks/relay.js';
import { relayPeer } from './benchmarks/relay-peer.js';
import { start } from './benchmarks/start.js';
import { tax } from './benchmarks/tax.js';
import { Environment } from './environment.js';
import { inspectMachine } from './machine.js';
import { describe, describeMachine } from './report.js';

const benchmarks: readonly Benchmark[] = [relay, relayPeer, effects, latency, tax, backlog, idle, instances, http, query, start, memory];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, scale: { type: 'string', default: '1' }, json: { type: 'boolean', default: false }, profile: { type: 'string' } },
});
const { TEST_POSTGRES_URL: postgresUrl, TEST_NATS_URL: natsUrl } = process.env as Record<string, string>;
const progress = (line: string) => process.stderr.write(`  ${line}\n`);

try {
  const chosen = choose(positionals);
  const machine = await inspectMachine(postgresUrl!, natsUrl!);
  if (!values.json) console.log(describeMachine(machine));
  const outcomes = [];
  for (const benchmark of chosen) {
    const environment = new Environment(postgresUrl!, natsUrl!, Number(values.scale), values.profile);
    try {
      progress(`${benchmark.name} …`);
      const outcome = await run(benchmark, environment, Number(values.rounds ?? benchmark.rounds), progress);
      outcomes.push(outcome);
      if (!values.json) console.log(describe(outcome));
    } finally {
      await environment.close();
    }
  }
  if (values.json) console.log(JSON.stringify({ machine, scale: Number(values.scale), outcomes }));
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
}

function choose(names: readonly string[]): readonly Benchmark[] {
  const all = benchmarks.map(({ name }) => name).join(', ');
  if (names.length === 0) throw new UsageError('No benchmark was named.', `npm run bench -- <name> …, with all or any of: ${all}.`);
  if (names.includes('all')) return benchmarks;
  return names.map((name) => {
    const found = benchmarks.find((benchmark) => benchmark.name === name);
    if (!found) throw new UsageError(`There is no benchmark "${name}".`, `name all or any of: ${all}.`);
    return found;
  });
}
