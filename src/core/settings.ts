import { Logger } from '@nestjs/common';
import { messagingSettings } from '@nestbox/messaging';
import { loggingSettings, misspelledSettings, readSettings, resolveSecrets, type SettingSection, vaultSettings } from '@nestbox/ops';
import { persistenceSettings } from '@nestbox/persistence';
import { adminSettings } from '../admin/admin.settings.js';
import { contexts } from '../contexts.js';
import { httpSettings } from './http.settings.js';
import { identitySettings } from './identity.settings.js';

const databaseSettings = persistenceSettings(Object.keys(contexts));

/** Every setting of the application, as the documentation lists them. */
export const settingSections: readonly SettingSection[] = [
  { title: 'HTTP', definitions: httpSettings },
  { title: 'Identity', definitions: identitySettings },
  { title: 'Databases', definitions: databaseSettings },
  { title: 'Messaging', definitions: messagingSettings },
  { title: 'Administration', definitions: adminSettings },
  { title: 'Logs', definitions: loggingSettings },
  { title: 'Vault', definitions: vaultSettings },
];

const sets = settingSections.map(({ definitions }) => definitions);

/** All settings of this process, secrets from files and Vault among them. @throws InvalidSettings with everything that is wrong */
export async function readApplicationSettings(env: NodeJS.ProcessEnv) {
  const resolved = await resolveSecrets(env, ...sets);
  const [http, identity, databases, messaging, admin, logging] = readSettings(resolved, httpSettings, identitySettings, databaseSettings, messagingSettings, adminSettings, loggingSettings, vaultSettings);
  return { http, identity, databases, messaging, admin, logging };
}

export type ApplicationSettings = Awaited<ReturnType<typeof readApplicationSettings>>;

/** Warns of variables that are one letter away from a setting: nobody reads them, and somebody thinks so. */
export function warnOfMisspelledSettings(env: NodeJS.ProcessEnv): void {
  const logger = new Logger('settings');
  for (const warning of misspelledSettings(sets, env)) logger.warn(warning);
}
