import type { Story, StoryHandling } from '@nestbox/messaging';
import { expect, it } from 'vitest';
import { storyText } from './trace.js';

const handling = (more: Partial<StoryHandling>): StoryHandling => ({
  source: 'ordering', n: 7, reader: 'inventory', handler: 'Reserve', state: 'handled', at: '2026-01-31T12:00:01.000Z', after: null, exact: true,
  process: null, attempts: 0, nextAttemptAt: null, error: null, caused: [], ...more,
});

const story = (...handlings: StoryHandling[]): Story => ({
  correlationId: 'request-1', count: 1, cut: false, silent: [],
  events: [{
    context: 'ordering', event: 'e-1', type: 'ordering.order-placed', n: 7, lane: 3, tenantId: 'default', aggregateType: 'ordering.order', aggregateId: '42', aggregateVersion: 1,
    committedAt: '2026-01-31T12:00:00.000Z', correlationId: 'request-1', causationId: null, origin: 'ordering.place-order', published: null, handlings, caused: [],
  }],
});

it('tells a story in lines, each with what is known of the time', () => {
  const text = storyText(story(
    handling({ process: 'host:1' }),
    handling({ exact: false, after: '2026-01-31T11:59:59.000Z', at: '2026-01-31T12:00:02.000Z' }),
    handling({ exact: false, at: '2026-02-01T08:00:00.000Z' }),
    handling({ attempts: 2, error: 'no stock', at: '2026-01-31T12:00:03.000Z' }),
    handling({ state: 'retrying', attempts: 1, error: 'no stock', nextAttemptAt: '2026-01-31T12:00:05.000Z' }),
    handling({ state: 'dead', attempts: 5, error: 'no stock' }),
    handling({ state: 'queued', at: null }),
    handling({ state: 'skipped', attempts: 5, error: 'no stock' }),
    handling({ state: 'left out' }),
    handling({ state: 'not yet', at: null }),
  ));
  expect(text.split('\n')).toEqual([
    'request-1: 1 event in ordering, from 2026-01-31 (UTC) on',
    '',
    'ordering.order-placed  42 version 1  (e-1)',
    '  12:00:00.000  committed by ordering.place-order, number 7 in lane 3',
    '  12:00:01.000  handled by inventory: Reserve on host:1',
    '  11:59:59.000 to 12:00:02.000  handled by inventory: Reserve',
    '  before 2026-02-01 08:00:00.000  handled by inventory: Reserve',
    '  12:00:03.000  handled by inventory: Reserve after 2 failed attempts (no stock)',
    '  12:00:01.000  failed in inventory: Reserve, 1 attempt: no stock; next attempt 12:00:05.000',
    '  12:00:01.000  failed for good in inventory: Reserve, 5 attempts: no stock; waits for a person',
    '                waits for inventory: Reserve behind an earlier event of its key, which is in trouble',
    '  12:00:01.000  skipped for inventory: Reserve, as a person has asked, after 5 failed attempts (no stock)',
    '  12:00:01.000  left out for inventory: Reserve: a person has set the reader past it',
    '                not handled yet by inventory: Reserve',
  ]);
});
