import type { Side } from './death.ts';
import type { Mode } from './stage.ts';

/** Points that no scenario passes, and why. */
export interface Exception {
  readonly points: RegExp;
  readonly modes: readonly Mode[];
  /** Only this side of it. */
  readonly side?: Side;
  readonly reason: string;
  /** It depends on the moment whether it is passed. */
  readonly perhaps?: boolean;
}

export const exceptions: readonly Exception[] = [
  { points: /^messaging\/(nats\/|relay-log(?!-postgres forgetRelay))/, modes: ['in-process'], reason: 'there is no broker' },
  { points: /^messaging\/engine Engine\.startContext: run\(relay\)/, modes: ['in-process'], reason: 'there is no relay' },
  { points: /^messaging\/log-beginnings/, modes: ['nats'], reason: 'only what people look at asks for it there' },
  { points: /^messaging\/(log-source|fresh-events FreshEvents\.settled)/, modes: ['nats'], reason: 'readers read from the stream' },
  { points: /forgetRelay/, modes: ['nats'], reason: 'there is a relay' },
  { points: /^messaging\/nats\/stream addStream: sleep/, modes: ['nats'], reason: 'only when the server cannot open a store: stream.int.spec.ts takes it away' },
  { points: /^persistence\/write-batch oneByOne/, modes: ['in-process', 'nats'], reason: 'only where DATABASE_PIPELINE is off' },
  { points: /readRows: client\.query\(statement\.text\)/, modes: ['in-process', 'nats'], reason: 'only behind a pooler, where no statement has a name' },
  {
    points: /NatsConnection\.dialUntilConnected: client\.close$/,
    modes: ['nats'],
    reason: 'only when a stop falls into the handshake of the first connection, before anything works over it',
  },
];
