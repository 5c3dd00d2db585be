import type { Story, StoryEvent, StoryHandling } from '@nestbox/messaging';
import { plural, print, warnOfSilent } from './output.js';
import { withOperator } from './with-operator.js';

/** `trace <id>`: the story of a request or an event through all contexts. */
export async function trace(id: string, { json }: { json: boolean }): Promise<void> {
  await withOperator(async ({ operator }) => {
    const story = await operator.trace(id);
    print(json, story, storyText);
    warnOfSilent(story.silent);
  }, 'if used');
}

/** A story as an indented tree, in the order of time. */
export function storyText({ correlationId, events, count, cut }: Story): string {
  const contexts = new Set(contextsOf(events));
  const day = events[0]!.committedAt.slice(0, 10);
  const lines = events.flatMap((event, index) => [...(index > 0 ? [''] : []), ...tell(event, '', timesOf(day))]);
  return [`${correlationId}: ${plural(count, 'event')} in ${[...contexts].join(', ')}, from ${day} (UTC) on`, '', ...lines, ...(cut ? ['', 'There are more events than are told here.'] : [])].join('\n');
}

function contextsOf(events: readonly StoryEvent[]): string[] {
  return events.flatMap(({ context, caused, handlings }) => [context, ...contextsOf([...handlings.flatMap((handling) => handling.caused), ...caused])]);
}

function tell(event: StoryEvent, indent: string, time: Times): string[] {
  const { type, aggregateId, aggregateVersion, event: id, origin, committedAt, n, lane, published, handlings, caused } = event;
  const deeper = `${indent}  `;
  return [
    `${indent}${type}  ${aggregateId} version ${aggregateVersion}  (${id})`,
    `${deeper}${time(committedAt)}  committed${origin ? ` by ${origin}` : ''}, ${n === null ? 'not numbered yet' : `number ${n} in lane ${lane}`}`,
    ...(published ? [`${deeper}${time(published.at)}  published as message ${published.sequence} of ${published.stream}`] : []),
    ...handlings.flatMap((handling) => [`${deeper}${describe(handling, time)}`, ...handling.caused.flatMap((child) => tell(child, `${deeper}  `, time))]),
    ...caused.flatMap((child) => tell(child, deeper, time)),
  ];
}

function describe({ reader, handler, state, at, after, exact, process, attempts, nextAttemptAt, error }: StoryHandling, time: Times): string {
  const who = `${reader}: ${handler}`;
  const tried = attempts > 0 ? ` after ${plural(attempts, 'failed attempt')} (${error})` : '';
  switch (state) {
    case 'handled': {
      const when = exact ? time(at!) : after ? `${time(after)} to ${time(at!)}` : `before ${time(at!)}`;
      return `${when}  handled by ${who}${process ? ` on ${process}` : ''}${tried}`;
    }
    case 'skipped':
      return `${time(at!)}  skipped for ${who}, as a person has asked${tried && `,${tried}`}`;
    case 'left out':
      return `${time(at!)}  left out for ${who}: a person has set the reader past it`;
    case 'retrying':
      return `${time(at!)}  failed in ${who}, ${plural(attempts, 'attempt')}: ${error}; next attempt ${nextAttemptAt ? time(nextAttemptAt) : 'soon'}`;
    case 'dead':
      return `${time(at!)}  failed for good in ${who}, ${plural(attempts, 'attempt')}: ${error}; waits for a person`;
    case 'queued':
      return `${' '.repeat(12)}  waits for ${who} behind an earlier event of its key, which is in trouble`;
    case 'throttled':
      return `${' '.repeat(12)}  waits its turn for ${who}: its tenant has many`;
    case 'not yet':
      return `${' '.repeat(12)}  not handled yet by ${who}`;
  }
}

type Times = (iso: string) => string;

/** The time of day, and the day when it is not that on which the story begins. */
function timesOf(day: string): Times {
  return (iso) => `${iso.startsWith(day) ? '' : `${iso.slice(0, 10)} `}${iso.slice(11, 23)}`;
}
