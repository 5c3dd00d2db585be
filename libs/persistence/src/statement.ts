import type { Writable } from 'node:stream';
import type { ClientBase } from 'pg';
import { DatabaseUnavailable, OutcomeUnknown } from './errors.js';

/** One SQL statement with its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** The server keeps its plan under this name, as long as the connection lasts. */
  readonly name?: string;
  /** Turns an error of exactly this statement into the one that the caller should see. */
  readonly explain?: (error: unknown) => unknown;
}

/** Hands everything that `send` queues to the operating system in one write: a system call per statement costs more than its SQL. */
export function inOneWrite<T>(client: ClientBase, send: () => T): T {
  const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/** SQLSTATE of a Postgres error, if it is one. Every one has a digit; EPIPE has none. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** SQLSTATEs after which there is no connection: it broke, was ended by the server, or was not granted. */
const CONNECTION_STATES = /^(08...|57P0[1235]|25P03|53300)$/;

/** True for errors that mean "the connection is gone", as opposed to "the statement was refused". */
export function isConnectionError(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return CONNECTION_STATES.test(state);
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/.test(code);
  return error instanceof Error && /connection (terminated|ended|timeout)|query read timeout|client has encountered a connection error|not queryable|timeout exceeded when trying to connect/i.test(error.message);
}

/** True when the database cannot be worked with at the moment: there is no connection, or it is out of some resource. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof DatabaseUnavailable || isConnectionError(error) || sqlState(error)?.startsWith('53') === true;
}

/**
 * True for failures that pass by themselves when the transaction is run again: contention, or an unavailable database.
 * They are never the handler's fault.
 */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01' || state === '55P03' || state === 'NB001' || isUnavailable(error) || error instanceof OutcomeUnknown;
}
