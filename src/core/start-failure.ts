import { UsageError } from '@nestbox/kernel';
import { InvalidSettings } from '@nestbox/ops';

/** Why a start failed, in one message for a person; nothing of it is a stack. */
export function explainStartFailure(error: unknown, env: NodeJS.ProcessEnv): string {
  if (error instanceof InvalidSettings || error instanceof UsageError) return error.message;
  const { code, message } = rootOf(error);
  const where = withoutPassword(env['DATABASE_URL']);
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${env['PORT'] || 3000} is in use. Stop what listens there, or set PORT to another one.`;
    case 'EACCES':
      return `Port ${env['PORT'] || 3000} may not be used by this user. Set PORT to one above 1023.`;
    case 'ENOSPC':
    case '53100':
      return 'The disk is full. Make room and start again.';
    case '28P01':
    case '28000':
      return `The database refused the user or password (${message}). Check DATABASE_URL: ${where}`;
    case '3D000':
      return `The database does not exist (${message}). Create it, or correct DATABASE_URL: ${where}`;
    case '53300':
      return `The database has no free connections (${message}). Lower DATABASE_POOL_SIZE, or raise max_connections of the server: ${where}`;
    default:
      if (isUnreachable(code, message)) return `The database cannot be reached (${message || code}). Is it running, and is DATABASE_URL right? ${where}`;
      return `The start failed: ${message}`;
  }
}

function rootOf(error: unknown): { code?: string; message: string } {
  // Connecting to a name with several addresses fails with one error per address.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code, message } = first as { code?: string; message?: string };
  return { ...(code !== undefined && { code }), message: message ?? String(first) };
}

function isUnreachable(code: string | undefined, message: string): boolean {
  return /^(ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|08|57P03)/.test(code ?? '') || /timeout exceeded when trying to connect|Connection terminated/i.test(message);
}

function withoutPassword(url: string | undefined): string {
  return url ? url.replace(/:\/\/([^:@/]*):[^@/]*@/, '://$1:***@') : '(unset)';
}
