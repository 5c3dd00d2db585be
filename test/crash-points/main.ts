// npm run crash-points: kills the process at every await of the engine, restarts it, and asks whether all effects are
// there, once and in order.
import { parseArgs } from 'node:util';
import { build } from '../../scripts/build.ts';
import { onStopSignal } from '../../scripts/children.ts';
import { fail, loadDotEnv } from '../../scripts/project.ts';
import { ensureNats, ensurePostgres } from '../../scripts/services.ts';
import { killEverywhere, type Report } from './run.ts';
import type { Mode } from './stage.ts';
import { closeTheatre, openTheatre } from './theatre.ts';

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'both' },
    only: { type: 'string', default: '' },
    scenario: { type: 'string', default: '' },
    parallel: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const modes = values.mode === 'both' ? (['in-process', 'nats'] as const) : [values.mode as Mode];

loadDotEnv();
if (!build()) process.exit(1);
const [postgres, nats] = await Promise.all([ensurePostgres(), ensureNats()]).catch(fail);
const theatre = openTheatre(postgres.url, nats.url);
const close = async (keepLogs: boolean) => {
  await closeTheatre(theatre, keepLogs);
  await postgres.stop();
  await nats.stop();
};
// The processes under test end with this one.
onStopSignal(() => void close(false).finally(() => process.exit(130)), () => process.exit(130));

const reports: Report[] = [];
for (const mode of modes) {
  const report = await killEverywhere(theatre, {
    mode, parallel: Number(values.parallel),
    wanted: ({ name }) => new RegExp(values.only).test(name),
    ...(values.scenario !== '' && { scenario: new RegExp(values.scenario) }),
    note: (line) => console.error(line),
  });
  reports.push(report);
  if (!values.json) print(report);
}
const broken = reports.some(({ breaks }) => breaks.length > 0);
await close(broken);
if (broken) console.error(`Logs: ${theatre.folder}`);
if (values.json) console.log(JSON.stringify(reports));
process.exit(!broken && reports.every(({ missed, problems }) => missed.length + problems.length === 0) ? 0 : 1);

function print({ mode, points, killed, once, excepted, missed, problems, breaks, seconds }: Report): void {
  const reasons = Object.entries(Object.groupBy(excepted, ({ reason }) => reason)).map(([reason, of]) => `  ${of!.length} sides out of reach: ${reason}`);
  const total = (kind: 'lost' | 'doubled' | 'reordered' | 'uncaused' | 'unacknowledged') => breaks.reduce((sum, { verdict }) => sum + (verdict?.[kind].length ?? 0), 0);
  console.log(
    [
      `${mode}: ${points} crash points, ${seconds} s`,
      `  killed at the first pass: ${killed.asked1} asked, ${killed.answered1} answered; at the second: ${killed.asked2} asked, ${killed.answered2} answered (${once} are passed once in a life)`,
      ...reasons,
      ...missed.map((name) => `  never came: ${name}`),
      ...problems.map((problem) => `  ${problem}`),
      ...breaks.map(({ deaths, stuck, verdict }) => `  BROKEN after ${deaths.join(', ')}: ${stuck ?? JSON.stringify(verdict)}`),
      `  lost ${total('lost')}, doubled ${total('doubled')}, reordered ${total('reordered')}, without a cause ${total('uncaused')}, acknowledged and lost ${total('unacknowledged')}, stuck ${breaks.filter(({ stuck }) => stuck).length}`,
    ].join('\n'),
  );
}
