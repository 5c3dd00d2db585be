import { type SettingSection, settingsEnvExample, settingsMarkdown } from '@nestbox/ops';
import { dependenciesMarkdown } from './dependencies.ts';
import { reasons } from './reasons.ts';

/** Every generated document: its path in the project, and its text. */
export function documents(sections: readonly SettingSection[]): ReadonlyMap<string, string> {
  return new Map([
    ['.env.example', settingsEnvExample(sections)],
    ['docs/configuration.md', settingsMarkdown(sections)],
    ['docs/dependencies.md', dependenciesMarkdown(reasons)],
  ]);
}
