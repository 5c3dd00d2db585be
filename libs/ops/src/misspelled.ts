import type { SettingDefinitions } from '@nestbox/kernel';
import { secretNames } from './secrets.js';

/** Below this, too many innocent names are one letter away. */
const SHORTEST_NAME = 5;

/** Warnings about variables that no setting has, but one letter away from a setting that is not set; and files for what is no secret. */
export function misspelledSettings(sets: readonly SettingDefinitions[], env: NodeJS.ProcessEnv): readonly string[] {
  const known = sets.flatMap((definitions) => Object.keys(definitions));
  const secrets = secretNames(sets);
  return Object.keys(env).flatMap((name) => {
    if (known.includes(name)) return [];
    const filed = name.replace(/_FILE$/, '');
    if (filed !== name && known.includes(filed)) return secrets.includes(filed) ? [] : [`The environment has ${name}, but only secrets come from files. Set ${filed} itself.`];
    const meant = known.find((setting) => setting.length >= SHORTEST_NAME && env[setting] === undefined && isOneLetterAway(name, setting));
    return meant ? [`The environment has ${name}, which is no setting. Was ${meant} meant?`] : [];
  });
}

/** One letter more, less, or different, or two neighbours exchanged. */
function isOneLetterAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (restA.length <= 1 && restB.length <= 1) return true;
  return restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0];
}
