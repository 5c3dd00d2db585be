import type { SettingDefinitions } from '@nestbox/kernel';

/** Settings of the messaging library. */
export const messagingSettings = {
  SERVICE: {
    type: 'string',
    default: 'all',
    description: 'Which service of the topology this process is.',
  },
  TOPOLOGY_FILE: {
    type: 'string',
    default: 'topology.yaml',
    description: 'The file that says which contexts and entry points run in which service.',
  },
  NATS_URL: {
    type: 'url',
    protocols: ['nats:', 'tls:', 'ws:', 'wss:'],
    default: 'nats://127.0.0.1:4222',
    secret: true,
    description: 'Where NATS answers, with `user:password@` if it asks for them. Used only by services whose events or entry points need NATS.',
  },
  NATS_NAMESPACE: {
    type: 'string',
    default: '',
    description: 'Prefix of every subject and stream, so that several deployments can share one NATS. Letters, digits, _ and -.',
  },
  REMOTE_TIMEOUT_MS: {
    type: 'integer',
    min: 1,
    default: 5000,
    description: 'How long a command or query to another process may take, unless its caller has set a deadline.',
  },
  EVENT_RETENTION_DAYS: {
    type: 'integer',
    min: 1,
    max: 3650,
    default: 7,
    description: 'How long events stay in their JetStream stream. A subscriber may be down for that long.',
  },
} as const satisfies SettingDefinitions;
