import { breakingChanges } from './compare-schemas.ts';
import type { Contract, EventContract, RequestContract } from './contract.ts';

/** Stored events are read for ever, and others read what is published now. */
const EVENT = { written: true, read: true };
const REQUEST = { written: false, read: true };
const REPLY = { written: true, read: false };

/** What the present contract of a context breaks of what it had promised: for each what, where and what to do. */
export function brokenPromises(promised: Contract, present: Contract | undefined): string[] {
  const { context } = promised;
  const byHand = `If nobody needs it any more, remove it from docs/contracts/${context}.json by hand, for others to see in the review.`;
  return [
    ...Object.entries(promised.events).flatMap(([type, before]) => {
      const after = present?.events[type];
      return after ? eventBreaks(type, before, after) : [`The event ${type} is gone. Stored events of it remain, and others may handle it: keep the class under \`publishes\`. ${byHand}`];
    }),
    ...Object.entries(promised.requests).flatMap(([type, before]) => {
      const after = present?.requests[type];
      return after ? requestBreaks(type, before, after, context) : [`The ${before.kind} ${type} is gone. Others may send it: keep its handler until nobody does. ${byHand}`];
    }),
  ];
}

function eventBreaks(type: string, before: EventContract, after: EventContract): string[] {
  if (after.schemaVersion < before.schemaVersion) return [`The event ${type} went back from schemaVersion ${before.schemaVersion} to ${after.schemaVersion}. Events of version ${before.schemaVersion} are stored already: count on, to ${before.schemaVersion + 1}.`];
  // With another version it is another payload; the upcasters, which every start demands, read the old one.
  if (after.schemaVersion > before.schemaVersion) return [];
  const next = before.schemaVersion + 1;
  return breakingChanges(before.payload, after.payload, EVENT).map(
    (change) => `The event ${type}: ${change}. Raise its schemaVersion to ${next} and add an upcaster from ${before.schemaVersion}, with a golden event of version ${next} (docs/how-to/change-an-event.md). A new field that may be left out needs neither.`,
  );
}

function requestBreaks(type: string, before: RequestContract, after: RequestContract, context: string): string[] {
  const { kind } = before;
  if (after.kind !== kind) return [`${type} was a ${kind} and is a ${after.kind}. They have different subjects: give it another name, and keep the ${kind} until nobody sends it.`];
  const cure = `Give the changed ${kind} another name and keep this one until nobody sends it, or change docs/contracts/${context}.json by hand when nobody does.`;
  const reply = before.reply && !after.reply ? ['it is not said any more what it is'] : before.reply && after.reply ? breakingChanges(before.reply, after.reply, REPLY) : [];
  return [
    ...breakingChanges(before.request, after.request, REQUEST).map((change) => `The ${kind} ${type}: ${change}. A process with an older version would be refused. ${cure}`),
    ...reply.map((change) => `The reply to ${type}: ${change}. A process with an older version builds on it. ${cure}`),
  ];
}
