import type { SettingDefinitions } from '@nestbox/kernel';

/** Settings of the logs. */
export const loggingSettings = {
  LOG_LEVEL: {
    type: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    description: 'The least important log lines that are written.',
  },
} as const satisfies SettingDefinitions;
