import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, installFromApt } from './apt.ts';
import { freePort, hasEnded, spawnProgram, stopChild } from './children.ts';
import type { Service } from './services.ts';

const READY_WITHIN_MS = 10_000;
const HOW_TO_GET_IT = 'Install pgbouncer (a package of your system; on Debian: apt-get install pgbouncer).';

/**
 * Puts a pgbouncer of our own in front of a Postgres, in transaction mode: after each transaction a connection may go on
 * with another server process. Every database of the server is there under its name.
 */
export async function startPgbouncer(postgresUrl: string): Promise<Service> {
  let program = findProgram('pgbouncer');
  if (!program) {
    installFromApt('pgbouncer', HOW_TO_GET_IT);
    program = findProgram('pgbouncer')!;
  }
  const server = new URL(postgresUrl);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'nestbox-pgbouncer-'));
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(file, configuration(server, port));
  // It refuses to be root.
  const child = spawnProgram(program, [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), file]);
  const stop = async () => {
    await stopChild(child, 5_000);
    rmSync(folder, { recursive: true, force: true });
  };
  const patience = Date.now() + READY_WITHIN_MS;
  while (!(await answers(port))) {
    if (hasEnded(child) || Date.now() > patience) {
      await stop();
      throw new Error(`pgbouncer did not start on port ${port}. Run \`${program}\` by hand to see why.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const url = new URL(server);
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, origin: 'pgbouncer, started for this run', stop };
}

/** Server connections are closed soon after their use, so that a test sees which of its own it has left open. */
function configuration(server: URL, port: number): string {
  const quoted = (text: string) => `'${decodeURIComponent(text).replaceAll("'", "''")}'`;
  return `[databases]
* = host=${quoted(server.hostname)} port=${server.port || 5432} user=${quoted(server.username || 'postgres')}${server.password ? ` password=${quoted(server.password)}` : ''}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 40
max_client_conn = 2000
server_idle_timeout = 1
`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
