import 'reflect-metadata';
import { DomainError } from '@nestbox/kernel';
import { Command, InvalidArgumentError } from 'commander';
import { config } from './cli/config.js';
import * as messages from './cli/messages.js';
import * as migrate from './cli/migrate.js';
import * as outbox from './cli/outbox.js';
import { refusalText } from './cli/output.js';
import * as problem from './cli/problem.js';
import * as projection from './cli/projection.js';
import * as reader from './cli/reader.js';
import * as stream from './cli/stream.js';
import { trace } from './cli/trace.js';
import * as trouble from './cli/trouble.js';
import { explainStartFailure } from './core/start-failure.js';

const JSON_OPTION = ['--json', 'for programs', false] as const;

const cli = new Command('cli').description('Looks after a running Nestbox. Databases come from the same settings as the services.').showHelpAfterError();

cli.command('trace <id>').description('the story of a request or event through all contexts, by its correlation id or the id of an event').option(...JSON_OPTION).action(trace);

const troubles = cli.command('trouble').description('Events that failed, and what waits behind them');
targeted(troubles.command('list [context]').description('what waits, with its reason')).action(trouble.list);
for (const request of ['replay', 'skip'] as const) {
  const command = targeted(troubles.command(`${request} [context]`))
    .description(request === 'replay' ? 'try the first event of each key again, then what waits behind it' : 'leave the first event of each key out, and go on with what waits behind it')
    .option('--all', 'everything that is in trouble', false)
    .action((context: string | undefined, options: trouble.RequestOptions) => trouble.ask(request, context, options));
  if (request === 'skip') command.option('--with-waiting', 'leave out what waits behind it, too', false);
}
troubles
  .command('edit <event>')
  .description('replay an event with another payload')
  .option('--payload <json>', 'the whole payload')
  .option('--file <path>', 'a file with the whole payload')
  .option('--original', 'the payload that it was committed with, for one that came without or was edited by mistake', false)
  .option('--context <name>', 'only in this context')
  .option('--handler <name>', 'only for this handler')
  .option('--schema-version <n>', 'when the payload has the shape of another version', wholeNumber)
  .option(...JSON_OPTION)
  .action(trouble.edit);

const readers = cli.command('reader').description('Who reads events, and where they stand');
readers.command('list [context]').description('positions, what is behind them, and which process works on them').option('--lanes', 'every lane', false).option(...JSON_OPTION).action(reader.list);
moving(readers.command('reset <reader>').description('set it to the first event, or past the last one').requiredOption('--to <place>', 'start or now')).action(reader.reset);
moving(
  readers
    .command('rewind <reader>')
    .description('set it back, so that it handles events again')
    .option('--from <n>', 'the number of the first event to handle again', wholeNumber)
    .option('--since <time>', 'the time at which the first event to handle again was committed, or before it'),
).action(reader.rewind);

readers
  .command('forget <reader>')
  .description('remove the positions and the trouble of one that will not come back, so that no events are kept for it')
  .option('--context <name>', 'where it was, for one that is not named like its context')
  .option('--source <context>', 'only its position in the log of this context')
  .option(...JSON_OPTION)
  .action(reader.forget);

const projections = cli.command('projection').description('Read models that are fed by events');
projections.command('list').description('what there is').option(...JSON_OPTION).action(projection.list);
projections
  .command('rebuild <name>')
  .description('empty it and fill it again from the first event, while everything goes on')
  .option('--discard-trouble', 'forget its events that wait for a person; they are handled again like all others', false)
  .option('--wait <seconds>', 'how long to wait for it to catch up; 0 does not wait', wholeNumber, 300)
  .action(projection.rebuild);

cli.command('stream').description('The streams in NATS').command('status [context]').description('how far they are, and whether their relay is filling them').option(...JSON_OPTION).action(stream.status);

cli
  .command('outbox')
  .description('Events as they were committed')
  .command('list [context]')
  .description('the newest, and whether they are NEW, SENT to the subscribers or refused (ERR)')
  .option('--state <state>', 'only NEW, SENT or ERR')
  .option('--limit <n>', 'at most so many', wholeNumber, 50)
  .option(...JSON_OPTION)
  .action(outbox.list);

cli
  .command('config')
  .description('check the settings of this environment, and that every secret in files and Vault can be had')
  .option('--explain', 'every setting, its value, where it comes from and what it means', false)
  .option(...JSON_OPTION)
  .action(config);

cli.command('messages').description('Commands, queries and events').command('list').description('what there is, who handles it, and in which services').action(messages.list);

const problems = cli.command('problem').description('Errors: what they are, why they happen, and what to do about them');
problems.command('list').description('what there is').option(...JSON_OPTION).action(problem.list);
problems.command('show <code>').description('one of them, by the code that every answer has').option(...JSON_OPTION).action(problem.show);

const migrations = cli.command('migrate').description('The tables of all contexts');
migrations.command('up').description('run what is pending').action(migrate.up);
migrations
  .command('down')
  .description('undo everything; all data is lost')
  .requiredOption('--yes', 'yes, lose all data')
  .action(migrate.down);

try {
  await cli.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof DomainError ? refusalText(error) : explainStartFailure(error, process.env)}\n`);
  process.exitCode = 1;
}

function targeted(command: Command): Command {
  return command
    .option('--reader <name>', 'a context, or <context>.<projection>')
    .option('--handler <name>', 'class name of the event handler')
    .option('--key <key>', '<tenant>/<aggregate type>/<aggregate id>')
    .option('--event <id>', 'id of an event')
    .option(...JSON_OPTION);
}

function moving(command: Command): Command {
  return command
    .option('--source <context>', 'whose events, when it reads those of several contexts')
    .option('--repeat-effects', 'yes, do again what its handlers have done for the events in between', false)
    .option('--leave-out', 'yes, never handle the events in between', false)
    .option('--discard-trouble', 'forget its events that are in trouble', false)
    .option(...JSON_OPTION);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
