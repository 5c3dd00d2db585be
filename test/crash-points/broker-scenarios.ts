import type { Scenario } from './life.ts';
import { openWay } from './way.ts';

/** Longer than a relay or a reader needs to notice that its stream is another one. */
const NOTICED = 6_500;

/** What only happens with a broker. */
export const brokerScenarios: readonly Scenario[] = [
  {
    name: 'broker comes late, goes and comes',
    only: 'nats',
    async play(life) {
      const way = await openWay(life.stage.theatre.natsUrl);
      try {
        way.block(true);
        const target = await life.target({ natsUrl: way.url });
        await life.load(target, 2, 10);
        way.block(false);
        await life.drained();
        way.block(true);
        await life.load(target, 2, 10);
        await life.pause(1_200);
        way.block(false);
        await life.drained();
        way.block(true);
        target.signal('SIGTERM');
        await life.until('it has stopped', () => !target.running);
      } finally {
        way.close();
      }
    },
  },
  {
    name: 'streams deleted',
    only: 'nats',
    async play(life) {
      const target = await life.target();
      await life.load(target, 2, 10);
      await life.stage.onStreams((manager, stream) => manager.streams.delete(stream));
      await life.load(target, 2, 10);
      await life.drained();
      await life.stage.onStreams((manager, stream) => manager.streams.purge(stream));
      await life.load(target, 2, 10);
      await life.drained();
    },
  },
  {
    name: 'streams lost while idle, and declared otherwise',
    only: 'nats',
    async play(life) {
      const target = await life.target();
      await life.load(target, 2, 10);
      await life.drained();
      await life.stage.onStreams((manager, stream) => manager.streams.delete(stream));
      await life.pause(NOTICED);
      await life.load(target, 1, 3);
      await life.drained();
      await life.stage.killAll();
      await life.stage.onStreams((manager, stream) => manager.streams.update(stream, { description: 'changed by hand' }));
      const next = await life.target();
      await life.load(next, 2, 10);
      await life.drained();
    },
  },
  {
    name: 'far behind',
    only: 'nats',
    async play(life) {
      const first = await life.helper();
      // Enough for the buffer of a lane and the window of the relay to be full.
      for (let i = 0; i < 3; i++) await life.wish(first, { basket: 't0-b0', times: 500, manner: 'plain' });
      await first.kill();
      const target = await life.target();
      await life.wish(target, { basket: 't0-b0', times: 500, manner: 'plain' });
      await life.drained();
    },
  },
  {
    name: 'a relay that does not know it is dead',
    only: 'nats',
    async play(life) {
      const target = await life.target();
      await life.helper('zombie');
      await life.load(target, 4, 60);
      await life.drained();
      await life.load(target, 1, 60);
      await life.drained();
    },
  },
  {
    name: 'streams of another database',
    only: 'nats',
    async play(life) {
      const first = await life.helper();
      await life.load(first, 2, 5);
      await life.drained();
      await first.kill();
      await life.stage.claimStream('shop');
      try {
        const target = await life.target();
        await life.load(target, 2, 5);
        await life.pause(2_500);
      } finally {
        // A person does it, whom the target's death does not keep from it: until then nothing is published.
        await life.stage.onStreams((manager, stream) => manager.streams.delete(stream));
      }
      await life.drained();
    },
  },
  {
    name: 'the hundredth note of the relay',
    only: 'nats',
    async play(life) {
      const first = await life.helper();
      await life.load(first, 2, 5);
      await life.drained();
      await first.kill();
      // It notes how far it is once a second: two before the hundredth are enough.
      await life.stage.sql(`insert into shop.cursor select (jsonb_populate_record(c, jsonb_build_object('gen', (c.gen / 100 + 1) * 100 - 2))).*
        from shop.cursor c where reader = 'relay' order by gen desc limit 1`);
      const target = await life.target();
      for (let second = 0; second < 4; second++) {
        await life.load(target, 2, 3);
        await life.pause(1_100);
      }
      await life.drained();
    },
  },
  {
    name: 'an event too large for its stream',
    only: 'nats',
    async play(life) {
      const target = await life.target();
      await life.load(target, 2, 5);
      await life.drained();
      await life.stage.onStreams((manager, stream) => manager.streams.update(stream, { max_msg_size: 3_000 }));
      for (let i = 0; i < 2; i++) await life.wish(target, { basket: 't0-b0', times: 1, manner: 'heavy' });
      await life.until('the relay has listed them', async () => (await life.stage.sql("select 1 from shop.trouble where reader = 'relay'")).length > 0);
      await life.stage.onStreams((manager, stream) => manager.streams.delete(stream));
      await life.drained();
    },
  },
  {
    name: 'serves a gateway',
    only: 'nats',
    async play(life) {
      const target = await life.target();
      const gateway = await life.helper('gateway');
      await life.load(gateway, 4, 20);
      const busy = life.load(gateway, 4, 20);
      target.signal('SIGTERM');
      await life.until('it has stopped', () => !target.running);
      gateway.signal('SIGKILL');
      await busy;
    },
  },
  {
    name: 'is a gateway',
    only: 'nats',
    async play(life) {
      await life.helper();
      const target = await life.target({ role: 'gateway' });
      await life.load(target, 4, 20);
      target.signal('SIGTERM');
      await life.until('it has stopped', () => !target.running);
      await life.drained();
    },
  },
];
