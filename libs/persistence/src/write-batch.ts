import pg, { type PoolClient } from 'pg';
import type { Statement } from './statement.js';
import { parseOnce, prepareValue, type Wire } from './wire.js';

/**
 * Statements of which nobody wants rows, sent with a single Sync behind the last one. To Postgres everything in front of a
 * Sync is one transaction, with or without a BEGIN: when one fails, the server skips the rest and undoes the ones before.
 * pg has a Sync behind each of its queries, so here, as in {@link readRows}, we speak the protocol. It is a query of pg for as
 * long as it is under way; pg tells it what it tells its own. Source: PostgreSQL, "Message Flow", section "Pipelining".
 */
class Batch extends pg.Query {
  /** Of the statement that is being answered, if it was sent to be parsed under a name: pg notes that the server knows it now. */
  name: string | undefined;
  text: string;
  /** How many have been answered. */
  completed = 0;
  /** What the server says that the last one has done, `UPDATE 1` for example. */
  tag = '';
  declare callback: (error: Error | null) => void;
  private readonly values: readonly (string | Buffer | null)[][];
  /** Names under which this has sent statements to be parsed. */
  private readonly parsing = new Set<string>();

  constructor(private readonly statements: readonly Statement[], done: (error: Error | null) => void) {
    super('', done);
    // A value that cannot be sent throws here, before anything is.
    this.values = statements.map(({ values }) => values.map(prepareValue));
    this.text = '';
  }

  override submit = (connection: unknown): void => {
    const wire = connection as Wire;
    wire.stream.cork();
    for (const [index, statement] of this.statements.entries()) {
      wire.bind({ statement: parseOnce(wire, statement, this.parsing), values: this.values[index]! });
      wire.execute();
    }
    wire.sync();
    wire.stream.uncork();
    this.expect(this.statements[0]);
  };

  handleCommandComplete({ text: tag }: { readonly text: string }): void {
    this.tag = tag;
    this.completed++;
    this.expect(this.statements[this.completed]);
  }

  handleDataRow(): void {}

  handleError(error: Error, connection: unknown): void {
    // What the server has skipped, it has not parsed either.
    for (const name of this.parsing) delete (connection as Wire).submittedNamedStatements[name];
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(null);
  }

  private expect(statement: Statement | undefined): void {
    if (!statement) return;
    this.name = statement.name !== undefined && this.parsing.has(statement.name) ? statement.name : undefined;
    this.text = statement.text;
  }
}

/**
 * Sends statements at once and waits for all of them, in one round trip. On a connection outside of a transaction they are
 * one by themselves: all of it is stored or nothing. Where the connection does not pipeline they are sent one by one, and need
 * a transaction around them.
 * @returns what the server says that the last one has done
 * @throws the error of the statement that failed, in the words of its `explain`; those behind it were not run
 */
export async function writeBatch(client: PoolClient, statements: readonly Statement[]): Promise<string> {
  if (!client.pipeline) return oneByOne(client, statements);
  if (statements.length === 0) return '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const batch = new Batch(statements, (error) => (error ? reject(error) : resolve()));
  client.query(batch);
  try {
    await promise;
  } catch (error) {
    // It comes from the socket's turn of the event loop: let its stack lead to who has sent the statements.
    Error.captureStackTrace(error as Error);
    throw explained(statements, batch.completed, error);
  }
  return batch.tag;
}

async function oneByOne(client: PoolClient, statements: readonly Statement[]): Promise<string> {
  let tag = '';
  for (const [index, { name, text, values }] of statements.entries()) {
    try {
      ({ command: tag } = await client.query({ ...(name !== undefined && { name }), text, values: values as unknown[] }));
    } catch (error) {
      throw explained(statements, index, error);
    }
  }
  return tag;
}

/** The error in the words of the statement that failed; what only the commit has found, in those of the one statement that knows it. */
function explained(statements: readonly Statement[], failed: number, error: unknown): unknown {
  const statement = statements[failed];
  if (statement && statement.text !== 'commit') return statement.explain?.(error) ?? error;
  const meanings = statements.map(({ explain }) => explain?.(error) ?? error).filter((meaning) => meaning !== error);
  return meanings.length === 1 ? meanings[0] : error;
}
