import type { ErrorDefinition } from '@nestbox/kernel';

/** What only the command line refuses. */
export const cliErrors = {
  wrongArgument: {
    code: 'cli.wrong-argument', kind: 'invalid', title: 'Wrong argument',
    cause: 'An argument or option of the command makes no sense.',
    cure: 'See the help of the command (`--help`).',
  },
  noSuchProjection: {
    code: 'cli.no-such-projection', kind: 'not-found', title: 'No such projection',
    cause: 'The application has no projection with this name.',
    cure: 'See `projection list`.',
  },
  noSuchProblem: {
    code: 'cli.no-such-problem', kind: 'not-found', title: 'No such problem',
    cause: 'No error has this code.',
    cure: 'See `problem list`.',
  },
  notCaughtUp: {
    code: 'cli.not-caught-up', kind: 'timeout', title: 'Not caught up yet',
    cause: 'The projection was not filled again within the time that the command was to wait.',
    cure: 'See whether a service that runs the projection is up; it goes on by itself.',
  },
  notMigrated: {
    code: 'cli.not-migrated', kind: 'unavailable', title: 'Tables missing',
    cause: 'The tables of a context are not there, or not those of this version.',
    cure: 'Start its service, or run `migrate up`.',
  },
  databaseUnavailable: {
    code: 'cli.database-unavailable', kind: 'unavailable', title: 'Database not available',
    cause: 'The command line cannot work on the database of a context.',
    cure: 'Check whether it runs, and whether the settings of the command line are those of the services.',
  },
  natsUnavailable: {
    code: 'cli.nats-unavailable', kind: 'unavailable', title: 'NATS not available',
    cause: 'The command is about streams, and NATS does not answer.',
    cure: 'Check whether it runs, and whether NATS_URL is right.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>;
