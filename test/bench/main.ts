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
import { soak } from './benchmarks/soak.js';
import { start } from './benchmarks/start.js';
import { tax } from './benchmarks/tax.js';
import { Environment } from './environment.js';
import { drawProfiles } from './flame-graph.js';
import { inspectMachine } from './machine.js';
import { type Options, readOptions, USAGE } from './options.js';
import { describe, describeMachine } from './report.js';

const benchmarks: readonly Benchmark[] = [relay, relayPeer, effects, latency, tax, backlog, idle, instances, http, query, start, memory, soak];

const { TEST_POSTGRES_URL: postgresUrl, TEST_NATS_URL: natsUrl } = process.env as Record<string, string>;
const progress = (line: string) => process.stderr.write(`  ${line}\n`);

try {
  const options = readOptions(process.argv.slice(2));
  const chosen = choose(options);
  const machine = await inspectMachine(postgresUrl!, natsUrl!);
  if (!options.json) console.log(describeMachine(machine));
  const outcomes = [];
  for (const benchmark of chosen) {
    const environment = new Environment(postgresUrl!, natsUrl!, options);
    try {
      progress(`${benchmark.name} …`);
      const outcome = await run(benchmark, environment, options.rounds ?? benchmark.rounds, progress);
      outcomes.push(outcome);
      if (!options.json) console.log(describe(outcome));
    } finally {
      await environment.close();
    }
  }
  if (options.profile !== undefined) progress(`Flame graphs: ${drawProfiles(options.profile).join(', ')}`);
  if (options.json) console.log(JSON.stringify({ machine, scale: options.scale, outcomes }));
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
}

function choose({ names }: Options): readonly Benchmark[] {
  const known = benchmarks.map(({ name }) => name).join(', ');
  if (names.length === 0) throw new UsageError('No benchmark was named.', `use ${USAGE}. Names: ${known}; all is every one but soak.`);
  return [...new Set(names.flatMap((name) => (name === 'all' ? benchmarks.filter(({ onlyByName }) => !onlyByName) : [find(name, known)])))];
}

function find(name: string, known: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (!found) throw new UsageError(`There is no benchmark "${name}".`, `name all or any of: ${known}.`);
  return found;
}
