// npm run demo: replays the orders of Northwind, and says whether the totals are right.
import { onStopSignal } from '../children.ts';
import { Api } from './api.ts';
import { readNorthwind } from './northwind.ts';
import { type DemoOptions, parseOptions, USAGE } from './options.ts';
import { Progress } from './progress.ts';
import { replay } from './replay.ts';
import { describe, reportedTotals, resultOf } from './report.ts';
import { openTarget, type Target } from './target.ts';

const log: string[] = [];
const interrupted = new AbortController();
let target: Promise<Target> | undefined;

async function main(): Promise<number> {
  const options = readOptions();
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const northwind = readNorthwind();
  target = openTarget(options, log, interrupted.signal);
  const { url, killInventory } = await target;
  const patienceMs = options.patienceSeconds * 1000;
  const api = new Api(url, patienceMs, process.env['TOKEN']);
  const replayed = await replay(api, northwind, {
    concurrency: options.concurrency,
    patienceMs,
    meter: (label, total) => new Progress(process.stderr, label, total),
    ...(options.killInventory && killInventory && { halfWay: () => void process.stderr.write(`\nHalf-way: killed ${killInventory()}.\n`) }),
  });
  const totals = await reportedTotals(api, replayed.others, patienceMs);
  const result = resultOf({ mode: options.mode, api }, replayed, totals);
  process.stdout.write(describe(result));
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.ok ? 0 : 1;
}

function readOptions(): DemoOptions | 'help' {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Ends what was started, also when that is still on its way. */
async function stop(): Promise<void> {
  const opened = await target?.catch(() => undefined);
  await opened?.stop();
}

onStopSignal(
  () => {
    interrupted.abort();
    void stop().finally(() => process.exit(130));
  },
  () => process.exit(130),
);

let code = 1;
try {
  code = await main();
} catch (error) {
  // What fails because it was stopped is no news; the handler of the signal ends the program.
  if (interrupted.signal.aborted) await new Promise(() => {});
  const output = log.length > 0 ? `\nThe last output of the system:\n${log.join('\n')}` : '';
  process.stderr.write(`\nThe replay failed: ${(error as Error).message}${output}\n`);
}
await stop();
process.exit(code);
