import type { SettingDefinitions } from '@nestbox/kernel';

/** Where secrets come from that stand in the settings as `vault:<mount>/<path>#<key>`. Read only when one does. */
export const vaultSettings = {
  VAULT_ADDR: { type: 'url', protocols: ['http:', 'https:'], optional: true, description: 'Where Vault answers, for settings that refer to it.' },
  VAULT_TOKEN: { type: 'string', optional: true, secret: true, description: 'Token that reads the secrets. Unset: VAULT_ROLE_ID and VAULT_SECRET_ID get one.' },
  VAULT_ROLE_ID: { type: 'string', optional: true, description: 'Role of the AppRole login.' },
  VAULT_SECRET_ID: { type: 'string', optional: true, secret: true, description: 'Secret of the AppRole login.' },
  VAULT_NAMESPACE: { type: 'string', optional: true, description: 'Namespace of Vault, if it has any.' },
  VAULT_TIMEOUT_MS: { type: 'integer', min: 1, default: 5_000, description: 'How long Vault may take for each answer.' },
} as const satisfies SettingDefinitions;
