import { IsIn, IsObject } from 'class-validator';
import type { MessageClass } from '../message-types.js';
import { rebuildProjection } from '../projection.js';
import { DomainError } from '@nestbox/kernel';
import { operationsErrors } from './errors.js';
import { forgetReader } from './forget-reader.js';
import { firstSince, logBacklog, logRange } from './log-range.js';
import { moveReader } from './move-reader.js';
import type { OperatedContext } from './operated-context.js';
import { listOutbox, readEvent } from './outbox-list.js';
import { listReaders } from './reader-list.js';
import { traceEvents } from './trace-events.js';
import { traceHandlings } from './trace-handlings.js';
import { listTrouble } from './trouble-list.js';
import { editTrouble, requestTrouble } from './trouble-requests.js';

/**
 * What can be asked of a context, and done to it. What goes in and comes out is plain JSON: the context may be in another
 * process. The arguments are those of the functions.
 */
export const OPERATIONS = {
  query: { 'list-trouble': listTrouble, 'list-readers': listReaders, 'list-outbox': listOutbox, 'read-event': readEvent, 'log-range': logRange, 'log-backlog': logBacklog, 'first-since': firstSince, 'trace-events': traceEvents, 'trace-handlings': traceHandlings },
  command: { 'request-trouble': requestTrouble, 'edit-trouble': editTrouble, 'move-reader': moveReader, 'forget-reader': forgetReader, 'rebuild-projection': rebuild },
} as const;

/** Who has it may look into every context, whatever the tenant, and change what its readers do. */
export const OPERATIONS_PERMISSION = 'operations';

type Operations = (typeof OPERATIONS)['query'] & (typeof OPERATIONS)['command'];
export type OperationName = keyof Operations;
export type OperationArguments<N extends OperationName> = Parameters<Operations[N]>[1] extends infer A ? (undefined extends A ? A | undefined : A) : never;
export type OperationResult<N extends OperationName> = Awaited<ReturnType<Operations[N]>>;

/** Which of the two an operation is. */
export function kindOf(name: OperationName): 'query' | 'command' {
  return name in OPERATIONS.query ? 'query' : 'command';
}

/** Runs an operation on a context whose database is at hand. */
export async function operate<N extends OperationName>(context: OperatedContext, name: N, args: OperationArguments<N>): Promise<OperationResult<N>> {
  const operation = { ...OPERATIONS.query, ...OPERATIONS.command }[name] as unknown as (context: OperatedContext, args: OperationArguments<N>) => Promise<OperationResult<N>>;
  return operation(context, args);
}

/** An operation on its way to the process that has the context, as a command or query like any other. */
export interface OperationMessage {
  readonly operation: OperationName;
  readonly args: object;
}

const classes = new Map<string, MessageClass<OperationMessage>>();

/** The message class of the operations on one context. */
export function operationMessage(context: string, kind: 'query' | 'command'): MessageClass<OperationMessage> {
  const type = `${context}.nestbox-${kind === 'query' ? 'inspect' : 'operate'}`;
  let found = classes.get(type);
  if (!found) {
    class Operation implements OperationMessage {
      static readonly type = type;
      static readonly permission = OPERATIONS_PERMISSION;

      @IsIn(Object.keys(OPERATIONS[kind]))
      readonly operation!: OperationName;

      @IsObject()
      readonly args!: object;
    }
    classes.set(type, (found = Operation));
  }
  return found;
}

function rebuild(context: OperatedContext, { projection: name, discardTrouble = false }: { projection: string; discardTrouble?: boolean }): Promise<number> {
  const projection = context.definition.projections?.find((candidate) => candidate.name === name);
  if (!projection) throw new DomainError(operationsErrors.noSuchProjection, `The context "${context.definition.name}" has no projection "${name}".`);
  return rebuildProjection(context.db, projection, { discardTrouble });
}
