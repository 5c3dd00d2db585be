import { handledEvents, handledMessage, readTopology } from '@nestbox/messaging';
import { contexts } from '../contexts.js';
import { readApplicationSettings } from '../core/settings.js';
import { definitions } from './databases.js';

/** `messages list`: every command, query and event, who handles it, and in which services. */
export async function list(): Promise<void> {
  const { messaging } = await readApplicationSettings(process.env);
  const services = readTopology(messaging.TOPOLOGY_FILE, Object.keys(contexts));
  const subscriptions = definitions().flatMap(({ name, subscribers = [], projections = [] }) =>
    [...subscribers, ...projections.flatMap((projection) => projection.subscribers)].map((handler) => ({ context: name, handler })),
  );
  for (const { name, commands = [], queries = [], publishes = [] } of definitions()) {
    const where = services.filter((service) => service.contexts.includes(name)).map(({ service }) => service).join(', ');
    process.stdout.write(`${name} (in ${where})\n`);
    for (const handler of commands) line('command', handledMessage(handler, 'command').type, handler.name);
    for (const handler of queries) line('query', handledMessage(handler, 'query').type, handler.name);
    for (const { type } of publishes) {
      const handlers = subscriptions.filter(({ handler }) => handledEvents(handler).some((event) => event.type === type));
      line('event', type, handlers.map(({ context, handler }) => `${context}: ${handler.name}`).join(', '));
    }
  }
}

function line(kind: string, type: string, handlers: string): void {
  process.stdout.write(`  ${kind.padEnd(8)}${type.padEnd(36)}${handlers}\n`);
}
