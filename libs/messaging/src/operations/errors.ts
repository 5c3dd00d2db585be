import type { ErrorDefinition } from '@nestbox/kernel';

/** What is refused to whoever looks after a system. */
export const operationsErrors = {
  noSuchContext: {
    code: 'operations.no-such-context', kind: 'not-found', title: 'No such context',
    cause: 'There is no context with this name.',
    cure: 'Use one of the names that the problem lists.',
  },
  noSuchReader: {
    code: 'operations.no-such-reader', kind: 'not-found', title: 'No such reader',
    cause: 'No reader with this name has ever run there.',
    cure: 'See the list of readers (`reader list`).',
  },
  noSuchProjection: {
    code: 'operations.no-such-projection', kind: 'not-found', title: 'No such projection',
    cause: 'There is no projection with this name, or it has never run.',
    cure: 'See the list of projections (`projection list`) and of readers (`reader list`).',
  },
  notInTrouble: {
    code: 'operations.not-in-trouble', kind: 'not-found', title: 'Not in trouble',
    cause: 'No event in trouble matches, or none does any more.',
    cure: 'See the list of trouble (`trouble list`), and what became of an event (`trace <id>`).',
  },
  unknownId: {
    code: 'operations.unknown-id', kind: 'not-found', title: 'Unknown id',
    cause: 'No outbox has an event with this id or correlation id: there never was one, or it was dropped with an old partition.',
    cure: 'Check the id; `details.silent` names the contexts that gave no answer.',
  },
  deadEvents: {
    code: 'operations.dead-events', kind: 'conflict', title: 'Events wait for a decision',
    cause: 'Events of the reader failed for good, and moving it would forget that.',
    cure: 'Replay or skip them first, or say that their trouble may be discarded.',
  },
  needsConsent: {
    code: 'operations.needs-consent', kind: 'conflict', title: 'Consent needed',
    cause: 'What was asked for does effects again, or leaves events out, and it was not said that this is meant.',
    cure: 'Set the flag that `details.flag` names, if it is meant.',
  },
  readerIsAlive: {
    code: 'operations.reader-is-alive', kind: 'conflict', title: 'Reader is running',
    cause: 'A reader that works cannot be forgotten: it would begin anew.',
    cure: 'Take it out of the code, or stop the services that run it.',
  },
  noLongerKept: {
    code: 'operations.no-longer-kept', kind: 'conflict', title: 'Events no longer kept',
    cause: 'The events that the reader would need were dropped from the log.',
    cure: 'Begin at `details.first`, the oldest event that is kept.',
  },
  streamTooShort: {
    code: 'operations.stream-too-short', kind: 'conflict', title: 'Stream too short',
    cause: 'The stream in NATS begins later than the log, so that the reader would miss events.',
    cure: 'Delete the stream, wait until its relay has filled it again (`stream status`), and repeat the request.',
  },
  waitsBehindAnother: {
    code: 'operations.waits-behind-another', kind: 'conflict', title: 'Waits behind another event',
    cause: 'An earlier event of the same key is in trouble, and order is kept.',
    cure: 'Replay the event that `details.first` names; this one follows. It can be skipped or edited where it is.',
  },
  tooLargeForTheBroker: {
    code: 'operations.too-large-for-the-broker', kind: 'conflict', title: 'Too large for the broker',
    cause: 'The event was too large for NATS, and a tombstone has its place in the stream.',
    cure: 'Give its handlers the payload (`trouble edit <event> --original`), then skip this entry.',
  },
  relayHasNoPosition: {
    code: 'operations.relay-has-no-position', kind: 'invalid', title: 'The relay has no position',
    cause: 'The stream itself says how far the relay is.',
    cure: 'To have the stream filled again, delete it.',
  },
  beyondTheLog: {
    code: 'operations.beyond-the-log', kind: 'invalid', title: 'Beyond the log',
    cause: 'There is no event with this number yet.',
    cure: 'Choose a number up to `details.head`, the newest event.',
  },
  severalSources: {
    code: 'operations.several-sources', kind: 'invalid', title: 'Several sources',
    cause: 'The reader reads the events of several contexts, each with numbers of its own.',
    cure: 'Say which of `details.sources` is meant.',
  },
  noAnswer: {
    code: 'operations.no-answer', kind: 'unavailable', title: 'No answer',
    cause: 'A context that may have been meant gave no answer.',
    cure: 'Try again when it runs; `details.silent` says which, and why.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>;
