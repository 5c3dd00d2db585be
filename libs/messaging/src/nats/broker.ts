import type { SettingValues } from '@nestbox/kernel';
import type { Dispatcher } from '../dispatcher.js';
import type { MessageRegistry } from '../registry.js';
import type { messagingSettings } from '../settings.js';
import type { Running } from '../transport.js';
import { NatsConnection } from './connection.js';
import { RemoteClient } from './remote-client.js';
import { RemoteServer } from './remote-server.js';
import type { RequestSeal } from './request-seal.js';
import { Subjects } from './subjects.js';
import { StreamInspector } from './stream-inspector.js';
import { NatsTransport } from './transport.js';
import { NatsWakeUps } from './wake-ups.js';

/** Everything of a process that speaks NATS, on one connection. */
export class NatsBroker {
  readonly transport: NatsTransport;
  readonly wakeUps: NatsWakeUps;
  readonly client: RemoteClient;
  readonly inspector: StreamInspector;
  private readonly connection: NatsConnection;
  private readonly subjects: Subjects;

  /** @param seal signs requests to other processes, and checks theirs; undefined: whoever can reach NATS is believed */
  constructor(private readonly settings: SettingValues<typeof messagingSettings>, service: string, private readonly seal: RequestSeal | undefined) {
    this.connection = new NatsConnection({ url: settings.NATS_URL, name: `nestbox ${service}` });
    this.subjects = new Subjects(settings.NATS_NAMESPACE);
    const { connection, subjects } = this;
    this.wakeUps = new NatsWakeUps(connection, subjects);
    this.transport = new NatsTransport({ connection, subjects, retentionDays: settings.EVENT_RETENTION_DAYS });
    this.inspector = new StreamInspector(connection, subjects);
    this.client = new RemoteClient({ connection, subjects, timeoutMs: settings.REMOTE_TIMEOUT_MS, seal });
  }

  /** After everything that uses it has stopped. */
  async close(): Promise<void> {
    this.wakeUps.close();
    await this.connection.close();
  }

  /** Where commands and queries of other processes come in. */
  entrance(registry: MessageRegistry, dispatcher: Dispatcher): Running {
    const { connection, subjects, settings, seal } = this;
    let server: RemoteServer | undefined;
    return {
      start: async () => {
        const { contexts, messages } = registry;
        server = new RemoteServer({
          connection, subjects, messages, seal,
          contexts: contexts.map(({ definition }) => definition.name),
          execute: (kind, message) => dispatcher.dispatch(kind, message),
          timeoutMs: settings.REMOTE_TIMEOUT_MS,
        });
        await server.start();
      },
      stop: async () => server?.stop(),
    };
  }
}
