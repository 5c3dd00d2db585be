import type { TracedEvent } from './trace-events.js';
import type { Handling } from './trace-handlings.js';

/** When and where the relay has put an event into its context's stream. */
export interface Publication {
  readonly context: string;
  readonly event: string;
  readonly stream: string;
  readonly sequence: number;
  readonly at: string;
}

/** An event, what became of it, and what it caused. */
export interface StoryEvent extends TracedEvent {
  readonly published: Publication | null;
  /** In the order of time; what is not done yet last. */
  readonly handlings: readonly StoryHandling[];
  /** What followed from it, but was raised by none of the handlings above. */
  readonly caused: readonly StoryEvent[];
}

export interface StoryHandling extends Handling {
  /** Events that this handler has raised. */
  readonly caused: readonly StoryEvent[];
}

/** Everything that one request has led to. */
export interface Story {
  readonly correlationId: string;
  /** Events that follow from no other event, with everything below them, in the order of time. */
  readonly events: readonly StoryEvent[];
  readonly count: number;
  /** Contexts that did not answer, and why: what they know is missing. */
  readonly silent: readonly { readonly context: string; readonly reason: string }[];
  /** True when there are more events than are told. */
  readonly cut: boolean;
}

/** Joins what the contexts know into one tree. */
export function buildStory(
  correlationId: string,
  events: readonly TracedEvent[],
  handlings: readonly Handling[],
  publications: readonly Publication[],
  more: Pick<Story, 'silent' | 'cut'>,
): Story {
  const known = new Set(events.map(({ event }) => event));
  const byCause = Map.groupBy(events, ({ causationId }) => causationId ?? '');
  const byEvent = Map.groupBy(handlings, ({ source, n }) => `${source} ${n}`);
  const tell = (traced: TracedEvent): StoryEvent => {
    const children = inOrder(byCause.get(traced.event) ?? []).map(tell);
    const own = (byEvent.get(`${traced.context} ${traced.n}`) ?? []).toSorted((left, right) => (left.at ?? '~').localeCompare(right.at ?? '~') || left.handler.localeCompare(right.handler));
    const raisedBy = (child: StoryEvent, { reader, handler }: Handling) => child.origin === handler && child.context === reader.split('.', 1)[0];
    return {
      ...traced,
      published: publications.find(({ context, event }) => context === traced.context && event === traced.event) ?? null,
      handlings: own.map((handling) => ({ ...handling, caused: children.filter((child) => raisedBy(child, handling)) })),
      caused: children.filter((child) => !own.some((handling) => raisedBy(child, handling))),
    };
  };
  const roots = inOrder(events.filter(({ causationId }) => causationId === null || !known.has(causationId)));
  return { correlationId, events: roots.map(tell), count: events.length, ...more };
}

function inOrder(events: readonly TracedEvent[]): TracedEvent[] {
  return events.toSorted((left, right) => left.committedAt.localeCompare(right.committedAt) || (left.n ?? Infinity) - (right.n ?? Infinity));
}
