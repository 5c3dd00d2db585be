import pg, { type ClientBase } from 'pg';
import type { Statement } from './statement.js';
import { parseOnce, prepareValue, type Wire } from './wire.js';

export type Row = Record<string, unknown>;

type NamedStatement = Statement & { readonly name: string };

interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

interface RowDescription {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** The columns of what has been read on a connection, by the name of the statement. */
const described = new WeakMap<Wire, Map<string, readonly Column[]>>();

/**
 * A `select` that has a name, without asking every time what its rows are made of: a server refuses to run a statement once that
 * has changed (SQLSTATE 0A000), so on one connection it never does. pg asks, and builds its readers anew, for every query.
 * Like {@link writeBatch}, it is a query of pg for as long as it is under way.
 * Source: PostgreSQL, "Message Flow", section "Extended Query".
 */
class NamedRead extends pg.Query {
  /** If it was sent to be parsed under its name: pg notes that the server knows it now. */
  name: string | undefined;
  readonly text: string;
  readonly found: Row[] = [];
  declare callback: (error: Error | null) => void;
  private readonly values: readonly (string | Buffer | null)[];
  private columns: readonly Column[] | undefined;
  /** What the server knows it by on this connection. */
  private known: string | undefined;
  private wire: Wire | undefined;
  private unreadable: unknown;

  constructor(private readonly statement: NamedStatement, done: (error: Error | null) => void) {
    super('', done);
    this.text = statement.text;
    this.values = statement.values.map(prepareValue);
  }

  override submit = (connection: unknown): void => {
    const wire = (this.wire = connection as Wire);
    const own = new Set<string>();
    wire.stream.cork();
    this.known = parseOnce(wire, this.statement, own);
    if (own.size > 0) this.name = this.known;
    if (this.known !== undefined) this.columns = described.get(wire)?.get(this.known);
    wire.bind({ statement: this.known, values: this.values });
    if (!this.columns) wire.describe({ type: 'P', name: '' });
    wire.execute();
    wire.sync();
    wire.stream.uncork();
  };

  handleRowDescription({ fields }: RowDescription): void {
    const columns = fields.map(({ name, dataTypeID }) => ({ name, parse: pg.types.getTypeParser(dataTypeID, 'text') as Column['parse'] }));
    this.columns = columns;
    if (this.known === undefined) return;
    const all = described.get(this.wire!) ?? new Map<string, readonly Column[]>();
    described.set(this.wire!, all.set(this.known, columns));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row: Row = {};
    try {
      for (const [index, { name, parse }] of this.columns!.entries()) {
        const text = fields[index]!;
        row[name] = text === null ? null : parse(text);
      }
      this.found.push(row);
    } catch (error) {
      // Thrown here, it would end the connection.
      this.unreadable ??= error;
    }
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback((this.unreadable as Error | undefined) ?? null);
  }
}

/** The rows of a statement; one that has a name is quicker. */
export async function readRows(client: ClientBase, statement: Statement): Promise<Row[]> {
  if (!isNamed(statement)) return (await client.query<Row>(statement.text, statement.values as unknown[])).rows;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const read = new NamedRead(statement, (error) => (error ? reject(error) : resolve()));
  client.query(read);
  try {
    await promise;
  } catch (error) {
    // It comes from the socket's turn of the event loop: let its stack lead to who has sent the statement.
    Error.captureStackTrace(error as Error);
    throw error;
  }
  return read.found;
}

function isNamed(statement: Statement): statement is NamedStatement {
  return statement.name !== undefined;
}
