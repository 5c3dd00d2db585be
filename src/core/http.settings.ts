import type { SettingDefinitions } from '@nestbox/kernel';

/** Settings of the HTTP server, which every service has for its health. */
export const httpSettings = {
  PORT: { type: 'integer', min: 0, max: 65535, default: 3000, description: 'Port of the HTTP server; 0 takes any free one.' },
  HOST: { type: 'string', default: '0.0.0.0', description: 'Address that the HTTP server listens on.' },
  REQUEST_TIMEOUT_MS: { type: 'integer', min: 1, default: 10_000, description: 'How long a request may take; other processes that it asks stop waiting then.' },
  BODY_LIMIT_BYTES: { type: 'integer', min: 1, default: 1_048_576, description: 'Largest request body.' },
  SHUTDOWN_DELAY_MS: { type: 'integer', min: 0, default: 0, description: 'How long it goes on working after SIGTERM, no longer ready, so that load balancers can notice.' },
  SHUTDOWN_GRACE_MS: { type: 'integer', min: 0, default: 10_000, description: 'How long work in progress may then take before the process ends anyway.' },
} as const satisfies SettingDefinitions;
