import type { PoolClient } from 'pg';
import type { Statement } from './statement.js';

/** Texts that get a name; each costs memory in every connection's server process. */
const MOST = 500;

/**
 * Names for statements that are sent again and again, so that the server parses and plans each of them once per
 * connection. Behind a pooler there are none: the next statement may run on a connection that does not know the name.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private given = 0;
  private direct = false;

  /** Looks whether a connection leads to the server itself. A pooler shows its clients process ids of its own. */
  async inspect(client: PoolClient): Promise<void> {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() pid');
    this.direct = rows[0]!.pid === (client as unknown as { processID: number | null }).processID;
  }

  /** Whether a connection is one session of the server, which keeps what is prepared and set in it. */
  get usable(): boolean {
    return this.direct;
  }

  /** The statement under its name; as it is where names cannot be used. For texts that are made once, not per request. */
  named(statement: Statement): Statement {
    if (!this.direct) return statement;
    let name = this.names.get(statement.text);
    if (name === undefined) {
      if (this.given >= MOST) return statement;
      this.names.set(statement.text, (name = `nestbox_${this.given++}`));
    }
    return { ...statement, name };
  }

  /** The text gets another name: what the servers have under the one that it had is of no use any more. */
  rename(text: string): void {
    this.names.delete(text);
  }
}
