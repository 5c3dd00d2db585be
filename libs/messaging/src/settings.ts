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
  SERVICE_KEY: {
    type: 'string',
    minLength: 32,
    optional: true,
    secret: true,
    description: 'Secret that all processes of one system share, for example from `openssl rand -base64 32`. With NATS they sign what they ask of each other with it, and refuse what is not signed; cursors of lists are sealed with it, and unset lead on until the process ends. `npm start` and its like make one for each start when it is unset.',
  },
  REMOTE_TIMEOUT_MS: {
    type: 'integer',
    min: 1,
    default: 5000,
    description: 'How long a command or query to another process may take, unless its caller has set a deadline.',
  },
  HANDLER_STALL_MAX_MS: {
    type: 'integer',
    min: 100,
    optional: true,
    description: 'How long an event handler may block the event loop before its process counts as dead and others take over its work; unset: 10000.',
  },
  EVENT_RETENTION_DAYS: {
    type: 'integer',
    min: 1,
    max: 3650,
    default: 7,
    description: 'How long events stay in their JetStream stream. A subscriber may be down for that long.',
  },
  OUTBOX_RETENTION_DAYS: {
    type: 'integer',
    min: 1,
    max: 36500,
    default: 30,
    description: 'How long events stay in the outbox at least, although everybody has read them; with NATS never shorter than EVENT_RETENTION_DAYS. As far back goes a rebuild, and the refill of a stream that was lost.',
  },
  IDEMPOTENCY_KEY_HOURS: {
    type: 'integer',
    min: 1,
    max: 8760,
    default: 24,
    description: 'How long a command that came with an Idempotency-Key is answered as the first time when it is repeated; then the key is forgotten.',
  },
  READER_ALARM_HOURS: {
    type: 'integer',
    min: 1,
    max: 876000,
    default: 24,
    description: 'A reader whose oldest unread event is older than this raises an alarm in health and metrics. Its events are kept until it has read them.',
  },
} as const satisfies SettingDefinitions;
