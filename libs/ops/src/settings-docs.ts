import type { SettingDefinition, SettingDefinitions } from '@nestbox/kernel';
import { accepts } from './settings.js';

/** Settings that belong together in the documentation. */
export interface SettingSection {
  readonly title: string;
  readonly definitions: SettingDefinitions;
}

type Definition = SettingDefinition & { readonly optional?: boolean };

const SECRETS = `## Secrets

A setting that is marked as a secret can be given in three forms, and only such a one:

| form | the secret is |
|---|---|
| \`NAME=value\` | the value |
| \`NAME_FILE=/run/secrets/name\` | what the file has, without its last line break: secrets of Docker and Kubernetes |
| \`NAME=vault:<mount>/<path>#<key>\` | the key of a secret in the key-value engine (version 2) of [Vault](https://developer.hashicorp.com/vault), read at the start |

Both \`NAME\` and \`NAME_FILE\`, a file that is empty or cannot be read, and a secret that Vault does not give end the start, and
the table of errors says which. Secrets are in no log, answer or error. \`npm run cli -- config --explain\` shows where each
setting comes from.
`;

/** The reference of all settings as Markdown. */
export function settingsMarkdown(sections: readonly SettingSection[]): string {
  const parts = sections.map(({ title, definitions }) => {
    const rows = Object.entries(definitions).map(
      ([name, definition]) => `| \`${name}\` | ${accepts(definition)} | ${shownDefault(definition)} | ${definition.secret ? 'yes' : ''} | ${definition.description} |`,
    );
    return `## ${title}\n\n| name | accepts | default | secret | meaning |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Configuration\n\nGenerated from the definitions in the code by \`npm run docs\`; do not edit.\n\nSettings come from the environment, or from a file \`.env\` beside \`package.json\`. An empty value counts as unset.\n\n${SECRETS}\n${parts.join('\n')}`;
}

/** An `.env` with every setting commented out at its default. */
export function settingsEnvExample(sections: readonly SettingSection[]): string {
  const parts = sections.map(({ title, definitions }) => {
    const entries = Object.entries(definitions).map(([name, definition]) => `# ${definition.description} Accepts ${accepts(definition)}.\n#${name}=${plainDefault(definition)}\n`);
    return `### ${title}\n\n${entries.join('\n')}`;
  });
  return `# Generated from the definitions in the code by \`npm run docs\`; do not edit. Copy it to .env and remove the # of what you change. docs/configuration.md says how secrets come from files and Vault.\n\n${parts.join('\n')}`;
}

function plainDefault(definition: Definition): string {
  const fallback = 'default' in definition ? definition.default : undefined;
  return fallback === undefined ? '' : String(fallback);
}

function shownDefault(definition: Definition): string {
  const fallback = plainDefault(definition);
  if (fallback !== '') return `\`${fallback}\``;
  return definition.optional || ('default' in definition && definition.default !== undefined) ? '' : '**required**';
}
