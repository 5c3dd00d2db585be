import type { Scenario } from './life.ts';

/** What people ask for. */
export const operatingScenarios: readonly Scenario[] = [
  {
    name: 'replay',
    async play(life) {
      const target = await life.target();
      await life.break('throws', 't0-b0');
      for (let i = 0; i < 2; i++) await life.wish(target, { basket: 't0-b0' });
      await life.until('it has failed for good', async () => (await life.stage.sql("select 1 from desk.trouble where state = 'dead'")).length > 0);
      for (const manner of ['replay', 'edit', 'edit'] as const) await life.wish(target, { manner });
      await life.stage.sql('delete from desk.broken');
      for (const manner of ['replay', 'edit'] as const) await life.wish(target, { manner });
      await life.drained();
      for (let i = 0; i < 2; i++) await life.wish(target, { manner: 'replay' });
    },
  },
  {
    name: 'rebuild',
    async play(life) {
      const other = await life.helper();
      const busy = life.load(other, 2, 100);
      const target = life.launch({ role: 'rebuild' });
      await life.until('it has answered', () => target.rebuilt !== undefined || !target.running);
      await busy;
      await life.drained();
    },
  },
  {
    name: 'refused rebuild',
    async play(life) {
      const other = await life.helper();
      await life.load(other, 2, 5);
      await life.drained();
      await life.stage.sql(`insert into audit.trouble (reader, source, lane, handler, key, n, event, state)
        values ('audit.totals', 'shop', 0, 'Nobody', 'nothing', 0, '{}', 'dead')`);
      const target = life.launch({ role: 'rebuild' });
      await life.until('it has answered', () => target.rebuilt !== undefined || !target.running).finally(() => life.stage.sql("delete from audit.trouble where handler = 'Nobody'"));
    },
  },
  {
    name: 'undone migrations',
    stage: 'empty',
    async play(life) {
      const target = life.launch({ role: 'revert' });
      await life.until('it has ended', () => !target.running);
    },
  },
  {
    name: 'refused start',
    async play(life) {
      for (const role of ['misdeclared', 'no database']) {
        const target = life.launch({ role });
        await life.until('it has ended', () => !target.running);
      }
      await life.pause(0);
    },
  },
];
