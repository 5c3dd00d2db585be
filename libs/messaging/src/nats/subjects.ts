import { UsageError } from '@nestbox/kernel';
import type { StoredEvent } from '../envelope.js';

const PLAIN = /^[A-Za-z0-9_-]+$/;

/**
 * Text as one subject token. Letters, digits, `_` and `-` stay; every other byte of its UTF-8 form becomes `%XX`,
 * because dots, blanks, `*` and `>` mean something in a subject. The empty text becomes `%`. Reversible.
 */
export function token(text: string): string {
  if (PLAIN.test(text)) return text;
  if (text === '') return '%';
  let escaped = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    escaped += PLAIN.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** The text that {@link token} was made of. */
export function fromToken(escaped: string): string {
  if (escaped === '%') return '';
  return decodeURIComponent(escaped);
}

/** The names of everything in NATS: subjects and streams, prefixed with the namespace if there is one. */
export class Subjects {
  private readonly prefix: string;

  /** @throws UsageError when the namespace could not be a subject token and part of a stream name */
  constructor(readonly namespace = '') {
    if (!/^[a-z0-9_-]*$/.test(namespace)) {
      throw new UsageError(`NATS_NAMESPACE "${namespace}" cannot be part of a subject.`, 'use small letters, digits, "_" and "-" only, or leave it empty.');
    }
    this.prefix = namespace === '' ? '' : `${namespace}.`;
  }

  /** `evt.<context>.<lane>.<tenant>.<event>.v<n>` */
  event(context: string, event: Pick<StoredEvent, 'lane' | 'tenantId' | 'type' | 'schemaVersion'>): string {
    return this.versioned(context, event.type, String(event.lane), token(event.tenantId), event.schemaVersion);
  }

  /** The same with `{lane}` and `{tenant}` in their places, for people and documents. */
  eventAddress(type: string, schemaVersion: number): string {
    return this.versioned(type.slice(0, type.indexOf('.')), type, '{lane}', '{tenant}', schemaVersion);
  }

  /** Every event of a context. */
  events(context: string): string {
    return `${this.prefix}evt.${token(context)}.>`;
  }

  /** Every event of one lane. */
  lane(context: string, lane: number): string {
    return `${this.prefix}evt.${token(context)}.${lane}.>`;
  }

  /** Every event of one type, of any lane, tenant and schema version. */
  eventType(type: string): string {
    const [context = '', name = ''] = type.split('.');
    return `${this.prefix}evt.${token(context)}.*.*.${token(name)}.*`;
  }

  /** The lane of an event's subject, without looking into its headers; NaN when it has none. */
  laneOf(subject: string): number {
    const position = this.prefix === '' ? 2 : 3;
    return Number(subject.split('.', position + 1)[position]);
  }

  /** `cmd.<context>.<name>` or `qry.<context>.<name>` of a message type `<context>.<name>`. */
  request(kind: RequestKind, type: string): string {
    return `${this.prefix}${kind === 'command' ? 'cmd' : 'qry'}.${type.split('.').map(token).join('.')}`;
  }

  /** Every command or query of a context. */
  requests(kind: RequestKind, context: string): string {
    return `${this.prefix}${kind === 'command' ? 'cmd' : 'qry'}.${token(context)}.*`;
  }

  /** A pattern of a Nest controller, as it is or with the namespace in front. */
  pattern(pattern: string): string {
    return `${this.prefix}${pattern}`;
  }

  /** Where the relay of a context hears what its stream has lost. */
  refill(context: string): string {
    return `${this.prefix}refill.${token(context)}`;
  }

  poke(topic: string): string {
    return `${this.prefix}poke.${token(topic)}`;
  }

  /** The stream with a context's events: `EVT_<context>` or `<NAMESPACE>_EVT_<context>`. */
  stream(context: string): string {
    return `${this.namespace === '' ? '' : `${this.namespace.toUpperCase()}_`}EVT_${context}`;
  }

  private versioned(context: string, type: string, lane: string, tenant: string, schemaVersion: number): string {
    const name = type.startsWith(`${context}.`) ? type.slice(context.length + 1) : type;
    return `${this.prefix}evt.${token(context)}.${lane}.${tenant}.${token(name)}.v${schemaVersion}`;
  }
}

export type RequestKind = 'command' | 'query';
