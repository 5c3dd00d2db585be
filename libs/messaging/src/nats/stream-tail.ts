import type { JetStreamManager } from '@nats-io/jetstream';
import { numberOf } from './event-codec.js';
import { createdAt, findStream } from './stream.js';

/** Which process has sent an event message. */
export const RELAY_HEADER = 'Nestbox-Relay';

const FOREIGN_LIMIT = 1_000;

/** How far a stream is. */
export interface StreamTail {
  readonly created: string;
  /** The stream's last sequence, whatever stands there: what the next publish has to expect. */
  readonly sequence: number;
  /** Number of the last event in the stream; 0 when there is none. */
  readonly n: number;
  readonly id?: string;
  /** The relay that sent it. */
  readonly relay?: string;
}

/** Reads how far a stream is; undefined when there is no such stream. */
export async function readTail(jsm: JetStreamManager, name: string): Promise<StreamTail | undefined> {
  const info = await findStream(jsm, name);
  if (!info) return undefined;
  const created = createdAt(info);
  const { first_seq: first, last_seq: sequence, messages } = info.state;
  if (messages === 0) return { created, sequence, n: 0 };
  // Deleted messages, and those that somebody else has put there, are stepped over.
  for (let at = sequence; at >= first; at--) {
    if (sequence - at >= FOREIGN_LIMIT) {
      throw new Error(`The last ${FOREIGN_LIMIT} messages of stream ${name} were not sent by a relay: stop whoever publishes there, or delete the stream (its relay fills it again).`);
    }
    const message = await jsm.streams.getMessage(name, { seq: at });
    const last = numberOf(message?.header);
    if (last) return { created, sequence, ...last, relay: message!.header.get(RELAY_HEADER) };
  }
  return { created, sequence, n: 0 };
}
