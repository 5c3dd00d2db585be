import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { serve } from '../child.js';

export interface PublishOptions {
  readonly url: string;
  readonly stream: string;
  readonly messages: number;
  readonly window: number;
  readonly payload: string;
  /** Headers of every message; without any, no headers at all. */
  readonly headers: readonly (readonly [string, string])[];
}

/** What one Node process can publish at best: acknowledged messages, nothing else to do. */
serve(
  {
    async publish({ url, stream, messages, window, payload, headers: pairs }: PublishOptions): Promise<void> {
      const client = await connect({ servers: new URL(url).host, noAsyncTraces: true });
      const js = jetstream(client);
      await (await jetstreamManager(client)).streams.add({ name: stream, subjects: [`${stream}.>`], storage: StorageType.File });
      let sent = 0;
      const sender = async () => {
        while (sent < messages) {
          sent++;
          const set = pairs.length > 0 ? headers() : undefined;
          for (const [name, value] of pairs) set!.set(name, value);
          await js.publish(`${stream}.event`, payload, set ? { headers: set } : {});
        }
      };
      await Promise.all(Array.from({ length: window }, sender));
      await client.close();
    },
  },
  async () => {},
);
