import type { Writable } from 'node:stream';
import pg from 'pg';
import type { Statement } from './statement.js';

/** What we use of pg's connection: the messages of the protocol, and which names the server knows on it. */
export interface Wire {
  readonly stream: Writable;
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(statement: { readonly text: string; readonly name: string | undefined }): void;
  bind(statement: { readonly statement: string | undefined; readonly values: readonly unknown[] }): void;
  describe(portal: { readonly type: 'P'; readonly name: '' }): void;
  execute(): void;
  sync(): void;
}

/** A parameter as it is sent. @throws what `JSON.stringify` throws */
export const { prepareValue } = (pg as unknown as { readonly utils: { prepareValue(value: unknown): string | Buffer | null } }).utils;

/**
 * Sends a statement to be parsed, unless the server knows it by its name. Somebody else's Parse of the same name, sent and not
 * answered, is not relied on: the server skips it if what stands in front of it fails. Meanwhile the statement has no name.
 * @param own names that the same query has sent: what makes the server skip them, makes it skip this one too
 * @returns the name to bind it by
 */
export function parseOnce(wire: Wire, { name, text }: Pick<Statement, 'name' | 'text'>, own: Set<string>): string | undefined {
  if (name !== undefined && (name in wire.parsedStatements || own.has(name))) return name;
  const free = name !== undefined && !(name in wire.submittedNamedStatements);
  wire.parse({ name: free ? name : undefined, text });
  if (!free) return undefined;
  wire.submittedNamedStatements[name] = text;
  own.add(name);
  return name;
}
