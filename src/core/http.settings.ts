import type { HttpAdapterOptions } from '@nestbox/http';
import { DEFAULT_TENANT, type SettingDefinitions, type SettingValues } from '@nestbox/kernel';

/** Settings of the HTTP server, which every service has for its health. */
export const httpSettings = {
  PORT: { type: 'integer', min: 0, max: 65535, default: 3000, description: 'Port of the HTTP server; 0 takes any free one.' },
  HOST: { type: 'string', default: '0.0.0.0', description: 'Address that the HTTP server listens on.' },
  REQUEST_TIMEOUT_MS: { type: 'integer', min: 1, default: 10_000, description: 'How long a request may take. Then it is answered 504, what it has not committed is undone, and other processes that it asks stop waiting.' },
  REQUEST_TIMEOUT_MAX_MS: { type: 'integer', min: 1, default: 60_000, description: 'How long a request may take at most when its caller asks for a time of its own with `Prefer: wait=<seconds>`.' },
  BODY_LIMIT_BYTES: { type: 'integer', min: 1, default: 1_048_576, description: 'Largest request body.' },
  HEADER_LIMIT_BYTES: { type: 'integer', min: 1_024, default: 16_384, description: 'All headers of a request together.' },
  HEADER_LIMIT_COUNT: { type: 'integer', min: 10, default: 100, description: 'Headers of a request.' },
  RECEIVE_TIMEOUT_MS: { type: 'integer', min: 100, default: 30_000, description: 'How long a client may take to send a request, its headers and its body.' },
  KEEP_ALIVE_TIMEOUT_MS: { type: 'integer', min: 1, default: 72_000, description: 'How long a connection may be silent between two requests. Longer than that of a load balancer in front, which is 60 s for most.' },
  MAX_CONNECTIONS: { type: 'integer', min: 0, default: 0, description: 'Connections at a time, of all clients; more are closed at once. 0: no limit.' },
  RATE_LIMIT_PER_MINUTE: {
    type: 'integer',
    min: 0,
    default: 120_000,
    description: 'Requests of one caller in a minute, to one process; health, metrics and the documentation are not counted. 0: no limit. The default only stops a client that has run away: 2000 a second, more than a test or a migration of data asks for. Set it to what a caller needs.',
  },
  TRUST_PROXY: {
    type: 'string',
    default: '',
    description: 'Proxies whose `X-Forwarded-For` says who calls: addresses, subnets, or loopback, linklocal, uniquelocal, separated by commas. Empty: none.',
  },
  CORS_ORIGINS: { type: 'string', default: '', description: 'Origins whose pages may call the API, separated by commas: `https://shop.example.com`; `*` is every one. Empty: none.' },
  ROUTE_ALIASES: { type: 'string', optional: true, description: 'Old paths that answer like those of the API, with the header `Deprecation`: `GET /v1/order/:id -> /v1/orders/:id since 2026-01-31 until 2026-12-31; …`.' },
  CHECK_RESPONSES: { type: 'boolean', optional: true, description: 'Hold every answer against the API document, and answer 500 with the difference instead of one that is not as it says. Costs time. Unset: unless `NODE_ENV` is `production`.' },
  SHUTDOWN_DELAY_MS: { type: 'integer', min: 0, default: 0, description: 'How long it goes on working after SIGTERM, no longer ready, so that load balancers can notice.' },
  SHUTDOWN_GRACE_MS: { type: 'integer', min: 0, default: 10_000, description: 'How long work in progress may then take before the process ends anyway.' },
} as const satisfies SettingDefinitions;

/** What the settings say to the HTTP library. */
export function httpOptions(settings: SettingValues<typeof httpSettings>): HttpAdapterOptions {
  return {
    bodyLimitBytes: settings.BODY_LIMIT_BYTES,
    timeoutMs: settings.REQUEST_TIMEOUT_MS,
    maxTimeoutMs: settings.REQUEST_TIMEOUT_MAX_MS,
    tenantId: DEFAULT_TENANT,
    limits: {
      receiveTimeoutMs: settings.RECEIVE_TIMEOUT_MS,
      keepAliveTimeoutMs: settings.KEEP_ALIVE_TIMEOUT_MS,
      headerLimitBytes: settings.HEADER_LIMIT_BYTES,
      headerLimitCount: settings.HEADER_LIMIT_COUNT,
      maxConnections: settings.MAX_CONNECTIONS,
    },
    rateLimit: { perMinute: settings.RATE_LIMIT_PER_MINUTE },
    trustProxies: list(settings.TRUST_PROXY),
    corsOrigins: list(settings.CORS_ORIGINS),
  };
}

/** Whether answers are held against the API document. */
export function checksAnswers({ CHECK_RESPONSES }: SettingValues<typeof httpSettings>, env: NodeJS.ProcessEnv): boolean {
  return CHECK_RESPONSES ?? env['NODE_ENV'] !== 'production';
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '');
}
