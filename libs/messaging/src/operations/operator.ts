import { DomainError, type ErrorKind } from '@nestbox/kernel';
import type { StreamInspector, StreamState } from '../nats/stream-inspector.js';
import { operationsErrors } from './errors.js';
import type { LogRange } from './log-range.js';
import type { ReaderMove } from './move-reader.js';
import type { OperationArguments, OperationName, OperationResult } from './operations.js';
import type { OutboxEntry, OutboxFilter } from './outbox-list.js';
import type { ReaderState } from './reader-list.js';
import { buildStory, type Publication, type Story } from './story.js';
import { STORY_LIMIT, type TracedEvent, type TraceQuery } from './trace-events.js';
import type { TroubleEntry, TroubleTarget } from './trouble-list.js';
import type { TroubleEdit, TroubleRequest } from './trouble-requests.js';

/** Runs an operation on a context, wherever it is. */
export type Ask = <N extends OperationName>(context: string, name: N, args: OperationArguments<N>) => Promise<OperationResult<N>>;

/** A context that gave no answer. */
export interface Silence {
  readonly context: string;
  readonly reason: string;
}

/** What all contexts together have to say; what the silent ones would have said is missing. */
export interface Answers<T> {
  readonly items: readonly T[];
  readonly silent: readonly Silence[];
}

/** For how many events in trouble something was asked. */
export interface Asked {
  readonly asked: number;
  readonly silent: readonly Silence[];
}

/** A reader, and how far it is behind the log that it reads. */
export interface ReaderReport extends Omit<ReaderState, 'lanes'> {
  /** Events that it has not handled; null when the source does not answer. */
  readonly behind: number | null;
  /** When the oldest of them was committed. */
  readonly oldest: string | null;
  readonly lanes: readonly (ReaderState['lanes'][number] & { readonly behind: number | null })[];
}

/** A stream beside the log that it is filled from. */
export interface StreamReport extends StreamState {
  /** `<host>:<pid>` of the process whose relay fills it; null when none does. */
  readonly relay: string | null;
  /** Newest number of the log. */
  readonly head: number;
  /** Events that are not in the stream yet. */
  readonly behind: number;
}

/** A reader to set, and where: at a number, a time, the start or the present end of the log. */
export interface ReaderTarget extends Pick<ReaderMove, 'reader' | 'repeatEffects' | 'leaveOut' | 'discardTrouble'> {
  /** The context whose log is meant; needed when it reads several. */
  readonly source?: string;
  /** The first event that is handled again: its number, `start`, or the time at which or after which it was committed. `now`: nothing up to now is handled. */
  readonly from: number | 'start' | 'now' | { readonly time: string };
}

/** Kinds of errors that say nothing of what was asked, only that there was no answer. */
const NO_ANSWER: ReadonlySet<ErrorKind> = new Set(['unavailable', 'timeout']);

/** Looks after all contexts of a system, wherever they run. It holds nothing: every answer is asked for. */
export class Operator {
  /**
   * @param contexts the names of all contexts
   * @param ask how a context is reached
   * @param streams when events travel through NATS
   */
  constructor(
    readonly contexts: readonly string[],
    private readonly ask: Ask,
    private readonly streams?: StreamInspector,
  ) {}

  /** What is in trouble, in one context or in all. */
  async trouble(target: TroubleTarget = {}, context?: string): Promise<Answers<TroubleEntry>> {
    return this.collect(this.wanted(context), (name) => this.ask(name, 'list-trouble', target));
  }

  /** Asks for a replay or skip, in one context or in all. @throws DomainError `operations.not-in-trouble` when it is for none */
  async request(request: TroubleRequest, context?: string): Promise<Asked> {
    return this.change(context, (name) => this.ask(name, 'request-trouble', request), request);
  }

  /** Replays an event of a context with another payload. @throws DomainError `operations.not-in-trouble` */
  async edit(edit: TroubleEdit, context?: string): Promise<Asked> {
    return this.change(context, (name) => this.ask(name, 'edit-trouble', edit), edit);
  }

  /**
   * Replays an event as it was committed: for one that came without its payload, or was edited by mistake.
   * @throws DomainError `operations.not-in-trouble`, `operations.unknown-id` when no outbox has it
   */
  async restore({ event, ...target }: Omit<TroubleEdit, 'payload' | 'schemaVersion'>, context?: string): Promise<Asked> {
    const { items, silent } = await this.collect(this.contexts, (name) => this.ask(name, 'read-event', { event }));
    const [content] = items;
    if (!content) throw unknownId(event, silent);
    return this.edit({ ...target, event, ...content }, context);
  }

  /** Every reader, with its positions and what is behind them. */
  async readers(context?: string): Promise<Answers<ReaderReport>> {
    const { items, silent } = await this.collect(this.wanted(context), (name) => this.ask(name, 'list-readers', undefined));
    const reports = await this.collect([...new Set(items.map(({ source }) => source))], async (source) => {
      const readers = items.filter((reader) => reader.source === source);
      const positions = readers.flatMap(({ reader, lanes }) => lanes.map(({ lane, n }) => ({ lane: reader === 'relay' ? null : lane, n })));
      const backlog = await this.ask(source, 'log-backlog', { positions }).catch(() => undefined);
      return readers.map((reader) => report(reader, backlog?.splice(0, reader.lanes.length)));
    });
    return { items: reports.items.toSorted((left, right) => left.context.localeCompare(right.context)), silent };
  }

  /** The positions of everybody who reads the events of a context, wherever they are kept. */
  async readersOf(source: string): Promise<Answers<ReaderState>> {
    const { items, silent } = await this.collect(this.contexts, (name) => this.ask(name, 'list-readers', undefined));
    return { items: items.filter((reader) => reader.source === source), silent };
  }

  /**
   * Sets a reader back or forward.
   * @returns how many lanes were set, and from which event on it reads
   * @throws DomainError when that is not possible, or has consequences that were not agreed to
   */
  async move({ from, ...target }: ReaderTarget): Promise<{ readonly lanes: number; readonly from: number }> {
    const context = this.ownerOf(target.reader);
    const source = target.source === undefined ? await this.onlySource(context, target.reader) : this.known(target.source);
    const range = await this.ask(source, 'log-range', undefined);
    const first = typeof from === 'object' ? await this.ask(source, 'first-since', { time: from.time }) : numberOf(from, range);
    if (first > range.head + 1) throw new DomainError(operationsErrors.beyondTheLog, `The log of "${source}" ends at ${range.head}: there is no event ${first} yet.`, { head: range.head });
    const direction = from === 'now' ? 'forward' : 'back';
    if (direction === 'back') await this.checkReach(source, first, range);
    const lanes = await this.ask(context, 'move-reader', { ...target, source, to: first - 1, direction });
    return { lanes, from: first };
  }

  /** Forgets a reader that will not come back, so that no events are kept for it. @returns how many lanes it had */
  async forget(reader: string, options: { context?: string; source?: string } = {}): Promise<number> {
    const { context, ...of } = options;
    return this.ask(context === undefined ? this.ownerOf(reader) : this.known(context), 'forget-reader', { reader, ...of });
  }

  /** Empties a projection and has it filled again. @returns how many lanes start again */
  async rebuild(projection: string, options: { discardTrouble?: boolean } = {}): Promise<number> {
    const { items } = await this.readers();
    const reader = items.find(({ reader }) => reader.endsWith(`.${projection}`));
    if (!reader) throw new DomainError(operationsErrors.noSuchProjection, `There is no projection "${projection}" that has ever run. See \`projection list\` and \`reader list\`.`);
    for (const { source } of items.filter(({ reader: name }) => name === reader.reader)) {
      await this.checkReach(source, 1, await this.ask(source, 'log-range', undefined));
    }
    return this.ask(reader.context, 'rebuild-projection', { projection, ...options });
  }

  /** The newest events of the outboxes. */
  async outbox(filter: OutboxFilter = {}, context?: string): Promise<Answers<OutboxEntry>> {
    return this.collect(this.wanted(context), (name) => this.ask(name, 'list-outbox', filter));
  }

  /** The streams of all contexts; without NATS there is none. */
  async streamStates(context?: string): Promise<Answers<StreamReport>> {
    const { streams } = this;
    if (!streams) return { items: [], silent: [] };
    return this.collect(this.wanted(context), async (name) => {
      const [state, { head }, readers] = await Promise.all([streams.state(name), this.ask(name, 'log-range', undefined), this.ask(name, 'list-readers', undefined)]);
      const relay = readers.find(({ reader }) => reader === 'relay')?.lanes[0]?.owner ?? null;
      return [{ ...state, relay, head, behind: Math.max(0, head - state.last) }];
    });
  }

  /**
   * The story of a chain, by its correlation id or the id of one of its events.
   * @throws DomainError `operations.unknown-id` when no context knows it
   */
  async trace(id: string): Promise<Story> {
    const look = (query: TraceQuery) => this.collect(this.contexts, (name) => this.ask(name, 'trace-events', query));
    const find = async (wanted: string) => {
      const soon = await look({ id: wanted });
      return soon.items.length > 0 ? soon : look({ id: wanted, anyTime: true });
    };
    let found = await find(id);
    const named = found.items.find(({ event, correlationId }) => event === id && correlationId !== id);
    if (named) found = await find(named.correlationId);
    const { items: events, silent } = found;
    if (events.length === 0) throw unknownId(id, silent);
    const asked = events.flatMap(({ context: source, n, lane, type }) => (n === null ? [] : [{ source, n, lane, type }]));
    const handlings = await this.collect(this.contexts, (name) => this.ask(name, 'trace-handlings', { events: asked }));
    const cut = this.contexts.some((context) => events.filter((event) => event.context === context).length >= STORY_LIMIT);
    return buildStory(named?.correlationId ?? id, events, handlings.items, await this.publications(events), { silent: handlings.silent, cut });
  }

  private async publications(events: readonly TracedEvent[]): Promise<Publication[]> {
    const { streams } = this;
    if (!streams) return [];
    const found = await Promise.all(
      events.map(async ({ context, event, n }) => {
        const place = n === null ? undefined : await streams.find(context, n).catch(() => undefined);
        return place && { context, event, ...place };
      }),
    );
    return found.filter((publication) => publication !== undefined);
  }

  /** Whether everything from an event on can still be read. */
  private async checkReach(source: string, first: number, { reach }: LogRange): Promise<void> {
    if (first <= reach) {
      throw new DomainError(operationsErrors.noLongerKept, `The log of "${source}" reaches back to event ${reach + 1}: what was before is no longer kept, and cannot be handled again.`, { first: reach + 1 });
    }
    const stream = await this.streams?.state(source).catch(() => undefined);
    if (stream && stream.first > first) {
      throw new DomainError(operationsErrors.streamTooShort, `The stream ${stream.stream} begins with event ${stream.first}, the log of "${source}" with ${reach + 1}. Delete the stream, wait until its relay has filled it again (\`stream status\`), and repeat this.`, { first: stream.first });
    }
  }

  private async onlySource(context: string, reader: string): Promise<string> {
    const states = await this.ask(context, 'list-readers', undefined);
    const sources = states.filter((state) => state.reader === reader).map(({ source }) => source);
    if (sources.length === 1) return sources[0]!;
    if (sources.length > 1) throw new DomainError(operationsErrors.severalSources, `"${reader}" reads the events of ${sources.join(' and ')}, each with numbers of its own: say which with --source.`, { sources });
    const readers = states.map((state) => state.reader).filter((name) => name !== 'relay');
    throw new DomainError(operationsErrors.noSuchReader, `There is no reader "${reader}" in "${context}". It has: ${[...new Set(readers)].join(', ') || 'none'}.`);
  }

  private ownerOf(reader: string): string {
    return this.known(reader.split('.', 1)[0]!);
  }

  private async change(context: string | undefined, work: (context: string) => Promise<number>, target: TroubleTarget): Promise<Asked> {
    const { items, silent } = await this.collect(this.wanted(context), async (name) => [await work(name)]);
    const asked = items.reduce((sum, count) => sum + count, 0);
    if (asked > 0) return { asked, silent };
    if (silent.length > 0) throw new DomainError(operationsErrors.noAnswer, `No answer from ${silent.map(({ context: name, reason }) => `${name} (${reason})`).join(', ')}.`, { silent });
    const { reader, handler, key, event } = target;
    const what = Object.entries({ reader, handler, key, event }).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])).join(', ');
    throw new DomainError(operationsErrors.notInTrouble, `Nothing in trouble${context ? ` in "${context}"` : ''} matches${what ? ` ${what}` : ''}, or not any more. See \`trouble list\` for what does, \`trace <id>\` for what became of an event.`);
  }

  private wanted(context: string | undefined): readonly string[] {
    if (context === undefined) return this.contexts;
    return [this.known(context)];
  }

  /** @throws DomainError `operations.no-such-context` */
  private known(context: string): string {
    if (this.contexts.includes(context)) return context;
    throw new DomainError(operationsErrors.noSuchContext, `There is no context "${context}". There are: ${this.contexts.join(', ')}.`);
  }

  /** Asks several contexts at once. A refusal is an answer for all; one that cannot be reached is noted. */
  private async collect<T>(contexts: readonly string[], work: (context: string) => Promise<readonly T[]>): Promise<Answers<T>> {
    const answers = await Promise.allSettled(contexts.map(async (context) => work(context)));
    const silent: Silence[] = [];
    const items: T[] = [];
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') items.push(...answer.value);
      else if (answer.reason instanceof DomainError && !NO_ANSWER.has(answer.reason.kind)) throw answer.reason;
      else silent.push({ context: contexts[index]!, reason: (answer.reason as Error).message });
    }
    return { items, silent };
  }
}

function unknownId(id: string, silent: readonly Silence[]): DomainError {
  const missing = silent.length > 0 ? ` No answer came from ${silent.map(({ context }) => context).join(', ')}.` : '';
  return new DomainError(operationsErrors.unknownId, `No event with the id or correlation id "${id}" is in an outbox. It has raised none, or was dropped with an old partition.${missing}`, { silent });
}

function numberOf(from: number | 'start' | 'now', { head }: LogRange): number {
  if (from === 'start') return 1;
  return from === 'now' ? head + 1 : from;
}

function report({ lanes, ...reader }: ReaderState, backlog: readonly { behind: number; oldest: string | null }[] | undefined): ReaderReport {
  const oldest = backlog?.flatMap((lane) => lane.oldest ?? []).toSorted()[0] ?? null;
  return {
    ...reader,
    behind: backlog ? backlog.reduce((sum, { behind }) => sum + behind, 0) : null,
    oldest,
    lanes: lanes.map((lane, index) => ({ ...lane, behind: backlog?.[index]?.behind ?? null })),
  };
}
