import type { ErrorDefinition } from '@nestbox/kernel';

/** What only the routes under `/admin` refuse. */
export const adminErrors = {
  noPlace: {
    code: 'operations.no-place', kind: 'invalid', title: 'No place to set the reader to',
    cause: 'The request says neither from which event on nor since when to read, or both.',
    cure: 'Say either `from` (the number of an event) or `since` (a time).',
  },
  noTarget: {
    code: 'operations.no-target', kind: 'invalid', title: 'No target',
    cause: 'The request does not say which trouble is meant, or says so and means everything, too.',
    cure: 'Name a context, reader, handler, key or event; or send `all: true`.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>;
