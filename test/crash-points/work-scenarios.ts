import { randomUUID } from 'node:crypto';
import type { SubjectProcess } from '../proof/subject-process.ts';
import type { Scenario } from './life.ts';

/** What happens every day. */
export const workScenarios: readonly Scenario[] = [
  {
    name: 'work',
    async play(life) {
      const target = await life.target();
      await life.load(target, 4, 30);
      await Promise.all(Array.from({ length: 20 }, () => life.wish(target, { basket: 't0-b0', manner: 'pair' })));
      for (const manner of ['replay', 'skip'] as const) await life.wish(target, { manner });
      await life.drained();
    },
  },
  {
    name: 'first start',
    stage: 'empty',
    async play(life) {
      const target = await life.target();
      await life.load(target, 2, 5);
      await life.drained();
    },
  },
  {
    name: 'stop',
    async play(life) {
      const target = await life.target();
      await life.load(target, 2, 5);
      await life.drained();
      await Promise.all([life.load(target, 4, 30), life.pause(50).then(() => target.signal('SIGTERM'))]);
      await life.until('the target has stopped', () => !target.running);
    },
  },
  {
    name: 'many generations',
    async play(life) {
      const target = await life.target();
      for (let i = 0; i < 250; i++) await life.wish(target, { basket: 't0-b0', manner: 'plain' });
      // What another process has written, the owner of the sequencer finds by looking.
      const other = await life.helper();
      for (let i = 0; i < 250; i++) await life.wish(other, { basket: 't0-b0', manner: 'plain' });
      await life.drained();
    },
  },
  {
    name: 'a tenant floods',
    async play(life) {
      const target = await life.target();
      // The baskets of the two share a lane.
      await life.wish(target, { basket: 't1-b0', manner: 'plain' });
      for (let i = 0; i < 3; i++) await life.wish(target, { basket: 't0-b0', times: 500, manner: 'plain' });
      await life.wish(target, { basket: 't1-b0', manner: 'plain' });
      await life.drained();
    },
  },
  {
    name: 'commands with keys',
    async play(life) {
      const target = await life.target();
      // A basket for every key: if it has more steps than one command makes, the command was done twice.
      const keys = Array.from({ length: 12 }, () => `t0-${randomUUID()}`);
      const repeat = async (process: SubjectProcess, key: string) => {
        const steps = await life.wish(process, { key, basket: key, times: 1, manner: 'plain' });
        if (steps !== undefined && steps !== 1) throw new Error(`The command with the key ${key} was done ${steps} times.`);
      };
      const everything = async () => {
        await Promise.all([...keys, ...keys, ...keys].map((key) => repeat(target, key)));
        for (const manner of ['refused', 'mistaken'] as const) for (let i = 0; i < 3; i++) await life.wish(target, { key: `${manner}-${keys[0]}`, manner });
        for (let i = 0; i < 2; i++) await life.wish(target, { manner: 'retain' });
        await life.drained();
      };
      const afterwards = async () => {
        const other = await life.helper();
        // Claims of a process that was killed end with the deadlines of its commands.
        await life.stage.sql('update shop.idempotency_key set until = clock_timestamp()');
        for (const key of keys) await repeat(other, key);
        const [most] = await life.stage.sql<{ steps: number }>('select max(steps) steps from shop.basket where id = any($1)', [keys]);
        if (most!.steps !== 1) throw new Error(`A command with a key was done ${most!.steps} times.`);
      };
      await everything().finally(afterwards);
    },
  },
  {
    name: 'failing handler',
    async play(life) {
      const target = await life.target();
      await life.break('throws', 't0-b0', 't1-b1');
      await life.load(target, 3, 12);
      await life.until('a retry has failed', async () => (await life.stage.sql('select 1 from desk.trouble where attempts > 2')).length > 0);
      await life.stage.sql('delete from desk.broken');
      await life.drained();
    },
  },
  {
    name: 'another joins and leaves',
    async play(life) {
      const target = await life.target();
      await life.load(target, 4, 10);
      const other = await life.helper();
      await Promise.all([life.load(target, 2, 100), life.load(other, 2, 100), life.pause(1_500)]);
      other.signal('SIGTERM');
      await life.load(target, 4, 20);
      await life.drained();
    },
  },
];
