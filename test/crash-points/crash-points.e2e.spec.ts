import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.ts';
import { crashPoints, engineFiles } from './engine.ts';
import { killEverywhere } from './run.ts';
import type { Mode } from './stage.ts';
import { closeTheatre, openTheatre, type Theatre } from './theatre.ts';

/** Where most is at stake: `npm run crash-points` kills at all of them. */
const SAMPLE: Record<Mode, readonly string[]> = {
  'in-process': [
    'persistence/transaction Transaction.commit: writeBatch(client)',
    'messaging/log-appender LogAppender.run: send(batch)',
    'messaging/lane-transaction begin: Promise.allSettled(sent)',
  ],
  nats: [
    'messaging/nats/relay Relay.fly: answersOrNews',
    'messaging/nats/jetstream-source JetStreamSource.follow: take(message)',
  ],
};

describe('a process that kills itself', () => {
  let theatre: Theatre;
  let broken = true;

  beforeAll(() => {
    expect(build()).toBe(true);
    theatre = openTheatre(process.env['TEST_POSTGRES_URL']!, process.env['TEST_NATS_URL']!);
  });

  afterAll(() => theatre && closeTheatre(theatre, broken));

  for (const mode of ['in-process', 'nats'] as const) {
    it(`between asking and knowing, or right after it, loses, doubles and reorders nothing (${mode})`, { timeout: 240_000 }, async () => {
      const names = engineFiles().flatMap((file) => crashPoints(file)).map(({ name }) => name);
      for (const name of SAMPLE[mode]) expect(names).toContain(name);
      const { deaths, missed, breaks, problems } = await killEverywhere(theatre, {
        mode, parallel: 2, scenario: /^work$/, note: () => undefined,
        wanted: ({ name, pass }) => pass === 1 && SAMPLE[mode].includes(name),
      });
      expect({ breaks, missed, problems }).toEqual({ breaks: [], missed: [], problems: [] });
      expect(deaths.map(({ name, side }) => `${name} ${side}`).toSorted()).toEqual(SAMPLE[mode].flatMap((name) => [`${name} answered`, `${name} asked`]).toSorted());
      if (mode === 'nats') broken = false;
    });
  }
});
