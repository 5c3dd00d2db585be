import { Logger } from '@nestjs/common';
import { messagingSettings } from '@nestbox/messaging';
import { loggingSettings, misspelledSettings, readSettings, type SettingSection } from '@nestbox/ops';
import { persistenceSettings } from '@nestbox/persistence';
import { contexts } from '../contexts.js';
import { httpSettings } from './http.settings.js';

const databaseSettings = persistenceSettings(Object.keys(contexts));

/** Every setting of the application, as the documentation lists them. */
export const settingSections: readonly SettingSection[] = [
  { title: 'HTTP', definitions: httpSettings },
  { title: 'Databases', definitions: databaseSettings },
  { title: 'Messaging', definitions: messagingSettings },
  { title: 'Logs', definitions: loggingSettings },
];

/** All settings of this process. @throws InvalidSettings with everything that is wrong */
export function readApplicationSettings(env: NodeJS.ProcessEnv) {
  const [http, databases, messaging, logging] = readSettings(env, httpSettings, databaseSettings, messagingSettings, loggingSettings);
  return { http, databases, messaging, logging };
}

export type ApplicationSettings = ReturnType<typeof readApplicationSettings>;

/** Warns of variables that are one letter away from a setting: nobody reads them, and somebody thinks so. */
export function warnOfMisspelledSettings(env: NodeJS.ProcessEnv): void {
  const logger = new Logger('settings');
  for (const warning of misspelledSettings(settingSections.map(({ definitions }) => definitions), env)) logger.warn(warning);
}
