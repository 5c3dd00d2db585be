import { PAST_THE_LEASE, type Scenario } from './life.ts';

/** Owners of lanes that die, sleep, or hang. */
export const ownerScenarios: readonly Scenario[] = [
  {
    name: 'paused past the lease',
    async play(life) {
      const target = await life.target();
      await life.load(target, 4, 10);
      for (let i = 0; i < 2; i++) {
        target.signal('SIGSTOP');
        await life.pause(PAST_THE_LEASE);
        target.signal('SIGCONT');
        await life.load(target, 4, 20);
        await life.drained();
      }
    },
  },
  {
    name: 'takes over from the dead',
    async play(life) {
      // Two owners die without having done anything: the third goes event by event.
      for (let i = 0; i < 2; i++) {
        const doomed = await life.helper();
        await life.until('it owns every lane', () => life.lanesAreOwned());
        await doomed.kill();
      }
      const target = await life.target();
      await life.load(target, 4, 20);
      await life.drained();
    },
  },
  {
    name: 'takes over from the paused',
    async play(life) {
      const first = await life.helper();
      await life.until('it owns every lane', () => life.lanesAreOwned());
      await first.kill();
      await life.until('its lease is over', async () => (await life.stage.sql('select 1 from nb.member where until > clock_timestamp()')).length === 0);
      // What a paused owner holds: the next generation of its lane, not committed.
      const { release } = await life.stage.holding(`insert into desk.cursor (reader, source, lane, gen, n, owner)
        select reader, source, lane, gen + 1, n, owner from desk.cursor where reader = 'desk' and lane = 3 order by gen desc limit 1`);
      const target = await life.target();
      await life.until('it owns the other lanes', () => life.lanesAreOwned()).finally(release);
      await life.load(target, 4, 10);
      await life.drained();
    },
  },
  {
    name: 'an event that kills',
    async play(life) {
      const first = await life.helper();
      await life.break('kills', 't2-b3');
      await life.wish(first, { basket: 't2-b3', times: 1 });
      await first.over;
      for (let unfinished = 0; unfinished < 2; ) {
        const next = await life.helper();
        await next.over;
        unfinished = (await life.stage.sql('select 1 from desk.attempt')).length;
      }
      const target = await life.target();
      await life.load(target, 2, 5);
      await life.until('it is dead', async () => (await life.stage.sql("select 1 from desk.trouble where state = 'dead'")).length > 0);
      await life.stage.sql('delete from desk.broken');
      await life.drained();
    },
  },
  {
    name: 'a handler that blocks',
    async play(life) {
      const target = await life.target();
      await life.break('blocks', 't2-b3');
      await life.wish(target, { basket: 't2-b3', times: 1, manner: 'plain' });
      await life.until('it is noted', async () => (await life.stage.sql('select 1 from desk.attempt')).length > 0);
      await life.stage.sql('delete from desk.broken');
      await life.drained();
    },
  },
];
