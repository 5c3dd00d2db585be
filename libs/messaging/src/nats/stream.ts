import { setTimeout as sleep } from 'node:timers/promises';
import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType, type JetStreamManager, type StreamConfig, type StreamInfo, type StreamUpdateConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { Logger, type LoggerService } from '@nestjs/common';
import type { Subjects } from './subjects.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const STREAM_NOT_FOUND = 10059;
const STORE_NOT_CREATED = 10049;
const STORE_ATTEMPTS = 20;
const STORE_PAUSE_MS = 50;

export interface StreamOptions {
  readonly subjects: Subjects;
  /** How long events stay. */
  readonly retentionDays: number;
  readonly logger?: LoggerService;
}

/** One property of a stream that was not as declared. */
export interface StreamDifference {
  readonly property: string;
  readonly declared: unknown;
  readonly found: unknown;
  /** False: changing it could lose events or is not possible, so it was left as it is. */
  readonly applied: boolean;
}

/**
 * Declares the stream of a context: created when missing, changed where that is safe, reported where it is not.
 * Declaring it again changes nothing.
 */
export async function ensureStream(jsm: JetStreamManager, context: string, options: StreamOptions): Promise<StreamDifference[]> {
  const logger = options.logger ?? new Logger('EventStream');
  const name = options.subjects.stream(context);
  const declared = declaration(context, options);
  const info = await findStream(jsm, name);
  if (!info) {
    // Two processes may do this at once: the same declaration twice is no error.
    await addStream(jsm, { name, ...declared });
    logger.log(`Created the stream ${name} for the events of "${context}".`);
    return [];
  }
  const differences = compare(declared, info.config);
  const safe = differences.filter((difference) => difference.applied);
  if (safe.length > 0) {
    const changes = Object.fromEntries(safe.map(({ property, declared: value }) => [property, value]));
    await jsm.streams.update(name, changes as Partial<StreamUpdateConfig>);
  }
  for (const { property, declared: wanted, found, applied } of differences) {
    const values = `${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`;
    logger.warn(applied ? `Stream ${name}: ${property} was ${values}; changed.` : `Stream ${name}: ${property} is ${values}; left as it is, change it by hand or delete the stream (its relay fills it again).`);
  }
  return differences;
}

/** A server that is still removing the directory of a stream just deleted cannot make one of the same name (seen with 2.9: a moment later it can). */
async function addStream(jsm: JetStreamManager, config: Parameters<JetStreamManager['streams']['add']>[0]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await jsm.streams.add(config);
      return;
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === STORE_NOT_CREATED) || attempt === STORE_ATTEMPTS) throw error;
      await sleep(STORE_PAUSE_MS);
    }
  }
}

/**
 * The stream, or undefined when there is none.
 * @throws Error that says so when the server has no JetStream
 */
export async function findStream(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    if ((error as Error).message === 'jetstream is not enabled') throw new Error('NATS answers, but its JetStream does not: start the server with "nats-server -js".', { cause: error });
    throw error;
  }
}

/** When a stream was created, as precise as a database keeps it. It tells a stream from a later one of the same name. */
export function createdAt(info: StreamInfo): string {
  return new Date(info.created).toISOString();
}

function declaration(context: string, { subjects, retentionDays }: StreamOptions) {
  return {
    description: `Events of the context ${context}`,
    subjects: [subjects.events(context)],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(retentionDays * DAY_MS),
    max_msgs: -1,
    max_bytes: -1,
    max_msgs_per_subject: -1,
    max_msg_size: -1,
    duplicate_window: nanos(2 * 60 * 1000),
    num_replicas: 1,
  } satisfies Partial<StreamConfig>;
}

function compare(declared: Partial<StreamConfig>, found: StreamConfig): StreamDifference[] {
  return Object.entries(declared)
    .map(([property, value]) => ({ property, declared: value, found: found[property as keyof StreamConfig] }))
    .filter((difference) => JSON.stringify(difference.declared) !== JSON.stringify(difference.found))
    .map((difference) => ({ ...difference, applied: isSafe(difference) }));
}

/** Storage and retention cannot be changed; fewer replicas or a shorter age would be a loss that somebody should decide on. */
function isSafe({ property, declared, found }: Omit<StreamDifference, 'applied'>): boolean {
  switch (property) {
    case 'storage':
    case 'retention':
    case 'num_replicas':
      return false;
    case 'max_age':
      return found !== 0 && Number(declared) > Number(found);
    default:
      return true;
  }
}
