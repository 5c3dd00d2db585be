import 'reflect-metadata';
import { Command, InvalidArgumentError } from 'commander';
import * as messages from './cli/messages.js';
import * as migrate from './cli/migrate.js';
import * as projection from './cli/projection.js';
import * as trouble from './cli/trouble.js';
import { explainStartFailure } from './core/start-failure.js';

const cli = new Command('cli').description('Looks after a running Nestbox. Databases come from the same settings as the services.').showHelpAfterError();

const projections = cli.command('projection').description('Read models that are fed by events');
projections.command('list').description('what there is').action(projection.list);
projections
  .command('rebuild <name>')
  .description('empty it and fill it again from the first event, while everything goes on')
  .option('--discard-trouble', 'forget its events that wait for a person; they are handled again like all others', false)
  .option('--wait <seconds>', 'how long to wait for it to catch up; 0 does not wait', wholeNumber, 300)
  .action(projection.rebuild);

const migrations = cli.command('migrate').description('The tables of all contexts');
migrations.command('up').description('run what is pending').action(migrate.up);
migrations
  .command('down')
  .description('undo everything; all data is lost')
  .requiredOption('--yes', 'yes, lose all data')
  .action(migrate.down);

cli.command('messages').description('Commands, queries and events').command('list').description('what there is, who handles it, and in which services').action(messages.list);

const troubles = cli.command('trouble').description('Events that failed, and what waits behind them');
troubles.command('list').description('what waits, with its reason').action(trouble.list);
for (const request of ['replay', 'skip'] as const) {
  troubles
    .command(`${request} <context> <handler> <key>`)
    .description(request === 'replay' ? 'try the first event of the key again, then what waits behind it' : 'leave the first event of the key out, and go on with what waits behind it')
    .action((context: string, handler: string, key: string) => trouble.ask(request, { context, handler, key }));
}

try {
  await cli.parseAsync();
} catch (error) {
  process.stderr.write(`${explainStartFailure(error, process.env)}\n`);
  process.exitCode = 1;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return Number(text);
}
