import { RequestError, TimeoutError, type Msg } from '@nats-io/transport-node';
import { currentMessage, DEFAULT_TENANT, DomainError, type MessageContext, UsageError, uuidv7 } from '@nestbox/kernel';
import type { RemoteCaller } from '../dispatcher.js';
import { contextOfType, typeOfMessage } from '../message-types.js';
import type { NatsConnection } from './connection.js';
import { remoteErrors } from './errors.js';
import { contextHeaders, isReplay } from './message-headers.js';
import { decodeError } from './remote-errors.js';
import type { RequestKind, Subjects } from './subjects.js';

export interface RemoteClientOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  /** How long an answer may take when the caller has no deadline. */
  readonly timeoutMs: number;
}

/** Nobody who could answer is there. */
export class ContextUnavailable extends DomainError {
  static readonly definition = remoteErrors.contextUnavailable;

  constructor(context: string, why: string) {
    super(ContextUnavailable.definition, `The service with "${context}" cannot be reached (${why}). Try again later.`, { context });
  }
}

/** The answer did not come in time. */
export class ContextTimeout extends DomainError {
  static readonly definition = remoteErrors.contextTimeout;

  constructor(context: string, kind: RequestKind) {
    const outcome = kind === 'command' ? ' The change may or may not have been made: look before you repeat it.' : ' Try again later.';
    super(ContextTimeout.definition, `The service with "${context}" did not answer in time.${outcome}`, { context });
  }
}

/**
 * Sends commands and queries to the process that owns their context, and gives back its answer as if it were local.
 * The packets are those of Nest's own NATS transport: `{ pattern, data, id }` → `{ response, err, isDisposed, id }`.
 */
export class RemoteClient implements RemoteCaller {
  constructor(private readonly options: RemoteClientOptions) {}

  /**
   * @throws what the handler has thrown; DomainError `messaging.context-unavailable` (kind `unavailable`) when nobody is there,
   *   `messaging.context-timeout` (kind `timeout`) when there is no answer in time
   */
  async request(kind: RequestKind, message: object): Promise<unknown> {
    const { connection, subjects, timeoutMs } = this.options;
    const type = typeOfMessage(message);
    const context = contextOfType(type);
    const subject = subjects.request(kind, type);
    const current: MessageContext = currentMessage() ?? { correlationId: uuidv7(), tenantId: DEFAULT_TENANT };
    const left = current.deadline === undefined ? timeoutMs : current.deadline - Date.now();
    if (connection.status() !== 'connected') throw new ContextUnavailable(context, 'there is no connection to NATS');
    if (left < 1) throw new ContextTimeout(context, kind);
    const body = JSON.stringify({ pattern: subject, data: message, id: uuidv7() });
    try {
      const reply = await connection.client.request(subject, body, { timeout: left, headers: contextHeaders(current, left) });
      if (isReplay(reply.headers)) current.onReplay?.();
      return unpack(reply, subject);
    } catch (error) {
      throw understand(error as Error, context, kind, type);
    }
  }
}

function unpack(reply: Msg, subject: string): unknown {
  const packet = reply.json<{ response?: unknown; err?: unknown } | null>();
  if (packet?.err !== undefined && packet.err !== null) throw decodeError(packet.err, subject);
  return packet?.response;
}

function understand(error: Error, context: string, kind: RequestKind, type: string): Error {
  if (error instanceof RequestError && error.isNoResponders()) return new ContextUnavailable(context, 'no process with it is running');
  if (error instanceof TimeoutError) return new ContextTimeout(context, kind);
  if (error.message.includes('max_payload')) return new UsageError(`The ${kind} "${type}" is larger than NATS takes.`, 'send less at once, or raise max_payload of the server.');
  if (error instanceof RequestError) return new ContextUnavailable(context, error.message);
  return error;
}
