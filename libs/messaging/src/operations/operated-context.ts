import type { ContextDatabase } from '@nestbox/persistence';
import type { ContextDefinition } from '../context-module.js';

/** A context as a person looks after it: what it consists of, and its database. Its engine need not run here. */
export interface OperatedContext {
  readonly definition: ContextDefinition;
  readonly db: ContextDatabase;
}

/** Rows of one statement, on whatever transaction is open. */
export function rowsOf<R>(db: ContextDatabase, text: string, values: readonly unknown[] = []): Promise<R[]> {
  return db.manager.query<R[]>(text, values as unknown[]);
}

/** A time as it travels: ISO 8601, UTC. */
export function isoTime(time: Date): string;
export function isoTime(time: Date | null): string | null;
export function isoTime(time: Date | null): string | null {
  return time && time.toISOString();
}
