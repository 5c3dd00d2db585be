import { UsageError } from '@nestbox/kernel';
import { InvalidSettings } from '@nestbox/ops';

/** More of a statement does not help to find it. */
const LONGEST_QUERY = 100;

/** Why a start failed, in one message for a person; nothing of it is a stack. */
export function explainStartFailure(error: unknown, env: NodeJS.ProcessEnv): string {
  if (error instanceof InvalidSettings || error instanceof UsageError) return error.message;
  const { code, message, query } = rootOf(error);
  const where = concernedDatabases(message, env);
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${env['PORT'] || 3000} is in use. Stop what listens there, or set PORT to another one.`;
    case 'EACCES':
      return `Port ${env['PORT'] || 3000} may not be used by this user. Set PORT to one above 1023.`;
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${env['HOST']}. Set HOST to one that it has, or to 0.0.0.0 for all of them.`;
    case 'ENOSPC':
    case '53100':
      return 'The disk is full. Make room and start again.';
    case '28P01':
    case '28000':
      return `The database refused the user or password (${message}). Check ${where}.`;
    case '3D000':
      return `The database does not exist (${message}). Create it, or correct ${where}.`;
    case '53300':
      return `The database has no free connections (${message}). Lower DATABASE_POOL_SIZE or DATABASE_ENGINE_POOL_SIZE, or raise max_connections of the server at ${where}.`;
    default:
      if (isUnreachable(code, message)) return `The database cannot be reached (${message || code}). Is it running, and is this right? ${where}`;
      // The only statements of a start that can fail by themselves are those of migrations.
      if (query !== undefined) return `A migration failed (${message}) at "${query}". It was undone. Correct the migration or what is in its way, then start again; ${where}`;
      return `The start failed: ${message}`;
  }
}

function rootOf(error: unknown): { code?: string; message: string; query?: string } {
  // Connecting to a name with several addresses fails with one error per address.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code, message, query } = first as { code?: string; message?: string; query?: string };
  return {
    message: message ?? String(first),
    ...(code !== undefined && { code }),
    ...(query !== undefined && { query: query.trim().replace(/\s+/g, ' ').slice(0, LONGEST_QUERY) }),
  };
}

function isUnreachable(code: string | undefined, message: string): boolean {
  return /^(ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|08|57P03)/.test(code ?? '') || /timeout exceeded when trying to connect|Connection terminated/i.test(message);
}

/**
 * The settings of the databases that an error may be about: those whose host, user or database it names, else all. Of what
 * is in a file or in Vault it is told where.
 */
function concernedDatabases(message: string, env: NodeJS.ProcessEnv): string {
  const settings = Object.entries(env).filter((entry): entry is [string, string] => isDatabase(entry[0], entry[1] ?? ''));
  const named = settings.filter(([, url]) => {
    if (!url.startsWith('postgres')) return true;
    const { hostname, port, username, pathname } = new URL(url);
    return [`"${pathname.slice(1)}"`, `"${decodeURIComponent(username)}"`, `${hostname}:${port || 5432}`, `ENOTFOUND ${hostname}`].some((part) => message.includes(part));
  });
  return (named.length > 0 ? named : settings).map(([name, url]) => `${name}=${withoutPassword(url)}`).join(', ') || 'DATABASE_URL (not set)';
}

function isDatabase(name: string, value: string): boolean {
  return (/(^|_)DATABASE_URL$/.test(name) && URL.canParse(value)) || (/(^|_)DATABASE_URL_FILE$/.test(name) && value !== '');
}

function withoutPassword(url: string): string {
  return url.replace(/:\/\/([^:@/]*):[^@/]*@/, '://$1:***@');
}
