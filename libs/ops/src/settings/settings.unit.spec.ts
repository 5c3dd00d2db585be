import type { SettingDefinitions } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { misspelledSettings } from './misspelled.js';
import { InvalidSettings, readSettings } from './read-settings.js';
import { settingsEnvExample, settingsMarkdown } from './settings-documents.js';

const web = {
  PORT: { type: 'integer', min: 0, max: 65535, default: 3000, description: 'Where it listens.' },
  LEVEL: { type: 'choice', choices: ['low', 'high'], default: 'low', description: 'How loud.' },
  VERBOSE: { type: 'boolean', default: false, description: 'Whether it talks.' },
} as const satisfies SettingDefinitions;
const store = {
  STORE_URL: { type: 'url', protocols: ['http:', 'https:'], secret: true, description: 'Where the store is.' },
  STORE_NAME: { type: 'string', optional: true, description: 'What it is called.' },
  STORE_SIZE: { type: 'integer', min: 1, optional: true, description: 'How big it is.' },
} as const satisfies SettingDefinitions;

function failure(env: Record<string, string>): InvalidSettings {
  try {
    readSettings([web, store], env);
  } catch (error) {
    if (error instanceof InvalidSettings) return error;
    throw error;
  }
  throw new Error('The settings were accepted.');
}

describe('readSettings', () => {
  it('gives parsed values and defaults, per definition set', () => {
    const [fromWeb, fromStore] = readSettings([web, store], { PORT: '80', VERBOSE: 'yes', STORE_URL: 'http://store', OTHER: 'x' });
    expect(fromWeb).toEqual({ PORT: 80, LEVEL: 'low', VERBOSE: true });
    expect(fromStore).toEqual({ STORE_URL: 'http://store', STORE_NAME: undefined, STORE_SIZE: undefined });
    const typed: [number, 'low' | 'high', string | undefined] = [fromWeb.PORT, fromWeb.LEVEL, fromStore.STORE_NAME];
    expect(typed).toEqual([80, 'low', undefined]);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readSettings([web], { PORT: '' })[0].PORT).toBe(3000);
  });

  it('lists everything that is wrong, in all sets, in one table', () => {
    const error = failure({ PORT: '80000', LEVEL: 'medium', VERBOSE: 'perhaps', STORE_SIZE: '1.5' });
    expect(error.errors.map(({ name }) => name)).toEqual(['PORT', 'LEVEL', 'VERBOSE', 'STORE_URL', 'STORE_SIZE']);
    expect(error.message).toBe(`5 settings are missing or wrong:

  PORT        "80000"    is too large           must be a whole number from 0 to 65535
  LEVEL       "medium"   is not a choice        must be one of low, high
  VERBOSE     "perhaps"  is not a yes or no     must be true or false
  STORE_URL   (not set)  is missing             must be a URL that starts with http:// or https://
  STORE_SIZE  "1.5"      is not a whole number  must be a whole number of 1 or more

  What to do: correct them in the environment or in the file .env; docs/configuration.md explains every setting.`);
  });

  it.each([
    ['no URL at all', 'hunter2', 'is not a URL'],
    ['another protocol', 'ftp://me:hunter2@store', 'has the wrong protocol'],
  ])('never shows a secret: %s', (_, url, what) => {
    const error = failure({ STORE_URL: url });
    expect(error.errors).toEqual([{ name: 'STORE_URL', value: '(hidden)', what, requirement: 'a URL that starts with http:// or https://' }]);
    expect(error.message).not.toContain('hunter2');
  });

  it('refuses a setting that two sets define', () => {
    expect(() => readSettings([web, { PORT: web.PORT }], {})).toThrow(/PORT is defined twice/);
  });
});

describe('misspelledSettings', () => {
  it.each(['STORE_NAMES', 'STORE_NME', 'STORE_NAMW', 'STOER_NAME'])('points at %s', (name) => {
    expect(misspelledSettings([web, store], { [name]: 'x' })).toEqual([`The environment has ${name}, which is no setting. Was STORE_NAME meant?`]);
  });

  it('is silent about what is far away, and about a neighbour of a setting that is set', () => {
    expect(misspelledSettings([web, store], { HOME: '/', STORE: 'x', STORE_NAME: 'a', STORE_NAMES: 'b' })).toEqual([]);
  });
});

describe('the documents', () => {
  const sections = [{ title: 'Web', definitions: web }, { title: 'Store', definitions: store }];

  it('explain every setting in a table per section', () => {
    const page = settingsMarkdown(sections);
    expect(page).toContain('## Store\n\n| name | must be | default | what it does |');
    expect(page).toContain('| `PORT` | a whole number from 0 to 65535 | `3000` | Where it listens. |');
    expect(page).toContain('| `STORE_URL` | a URL that starts with http:// or https:// | **required** | Where the store is. Secret: never shown. |');
  });

  it('give an example file whose settings are all commented out', () => {
    const example = settingsEnvExample(sections);
    expect(example).toContain('# Where it listens. Must be a whole number from 0 to 65535.\n#PORT=3000\n');
    expect(example.split('\n').every((line) => line === '' || line.startsWith('#'))).toBe(true);
  });
});
