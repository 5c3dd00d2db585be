import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@nestbox/kernel';
import { type Ask, NatsConnection, operate, Operator, StreamInspector, Subjects } from '@nestbox/messaging';
import { sqlState } from '@nestbox/persistence';
import { readApplicationSettings } from '../core/settings.js';
import { explainStartFailure } from '../core/start-failure.js';
import { cliErrors } from './cli.errors.js';
import { definitions, type OpenContext, openContext } from './databases.js';

/** How long NATS may take to answer the call of a person, in ms. */
const NATS_PATIENCE = 3_000;
/** What Postgres says when a schema or a table is not there. */
const NOT_MIGRATED = new Set(['42P01', '3F000', '42703']);

/** What a command has at hand: all contexts through their databases, which are opened when they are needed. */
export interface Desk {
  readonly operator: Operator;
  readonly ask: Ask;
}

/**
 * Runs a command on the databases of the settings, beside the services or without them.
 * @param streams `always` when NATS is what the command is about, `if used` when it only adds to the answer
 */
export async function withOperator(work: (desk: Desk) => Promise<void>, streams: 'never' | 'if used' | 'always' = 'never'): Promise<void> {
  const known = definitions();
  const opened = new Map<string, Promise<OpenContext>>();
  const open = (name: string) => {
    const found = opened.get(name) ?? openContext(known.find((definition) => definition.name === name)!);
    opened.set(name, found);
    return found;
  };
  const ask: Ask = async (context, operation, args) => {
    try {
      return (await operate(await open(context), operation, args)) as never;
    } catch (error) {
      if (error instanceof DomainError) throw error;
      if (NOT_MIGRATED.has(sqlState(error) ?? '')) throw new DomainError(cliErrors.notMigrated, 'Its tables are not there, or not those of this version: start its service, or run `migrate up`.');
      throw new DomainError(cliErrors.databaseUnavailable, explainStartFailure(error, process.env));
    }
  };
  const names = known.map(({ name }) => name);
  const nats = streams === 'never' || (streams === 'if used' && !(await isRelayed(names, ask))) ? undefined : await connectToNats(streams === 'always');
  try {
    await work({ ask, operator: new Operator(names, ask, nats?.inspector) });
  } finally {
    await nats?.connection.close();
    for (const context of await Promise.allSettled(opened.values())) if (context.status === 'fulfilled') await context.value.db.close();
  }
}

/** Whether the events of a context have ever been copied to a stream. */
async function isRelayed(contexts: readonly string[], ask: Ask): Promise<boolean> {
  const readers = await Promise.all(contexts.map((context) => ask(context, 'list-readers', undefined).catch(() => [])));
  return readers.flat().some(({ reader }) => reader === 'relay');
}

async function connectToNats(needed: boolean) {
  const { messaging } = await readApplicationSettings(process.env);
  const silent = () => undefined;
  const connection = new NatsConnection({ url: messaging.NATS_URL, name: 'nestbox cli', logger: { log: silent, warn: silent, error: silent } });
  await Promise.race([connection.start(), sleep(NATS_PATIENCE, undefined, { ref: false })]);
  if (connection.status() === 'connected') return { connection, inspector: new StreamInspector(connection, new Subjects(messaging.NATS_NAMESPACE)) };
  await connection.close();
  if (needed) throw new DomainError(cliErrors.natsUnavailable, 'NATS does not answer. Is it running, and is NATS_URL right?');
  process.stderr.write('NATS does not answer (NATS_URL): what it knows is missing here.\n');
  return undefined;
}
