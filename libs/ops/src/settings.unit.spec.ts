import { describe, expect, it } from 'vitest';
import { misspelledSettings } from './misspelled.js';
import { InvalidSettings, readSettings } from './settings.js';
import { settingsEnvExample, settingsMarkdown } from './settings-docs.js';

const web = {
  PORT: { type: 'integer', min: 1, max: 65535, default: 3000, description: 'Where it listens.' },
  VERBOSE: { type: 'boolean', default: false, description: 'Say more.' },
  LEVEL: { type: 'choice', choices: ['low', 'high'], default: 'low', description: 'How much.' },
} as const;
const store = {
  STORE_URL: { type: 'url', protocols: ['postgres:'], secret: true, description: 'The store.' },
  REPLICA_URL: { type: 'url', protocols: ['postgres:'], secret: true, optional: true, description: 'A second one.' },
} as const;

describe('settings', () => {
  it('are typed, with defaults, and an empty value counts as unset', () => {
    const [{ PORT, VERBOSE, LEVEL }, { STORE_URL, REPLICA_URL }] = readSettings({ PORT: '80', VERBOSE: '', STORE_URL: 'postgres://h/db' }, web, store);
    const port: number = PORT;
    expect([port, VERBOSE, LEVEL, STORE_URL, REPLICA_URL]).toEqual([80, false, 'low', 'postgres://h/db', undefined]);
  });

  it('that are wrong are all named in one table, secrets hidden', () => {
    const read = () => readSettings({ PORT: '80.5', VERBOSE: 'yes', LEVEL: 'middle', REPLICA_URL: 'mysql://user:hunter2@h' }, web, store);
    expect(read).toThrow(InvalidSettings);
    try {
      read();
    } catch (error) {
      const { message, problems } = error as InvalidSettings;
      expect(problems.map(({ name }) => name)).toEqual(['PORT', 'VERBOSE', 'LEVEL', 'STORE_URL', 'REPLICA_URL']);
      expect(message).toMatch(/PORT +"80\.5" +must be a whole number from 1 to 65535/);
      expect(message).toMatch(/STORE_URL +\(unset\) +is required: a URL that begins with postgres:\/\//);
      expect(message).not.toContain('hunter2');
    }
  });

  it('are documented from the same definitions', () => {
    const sections = [{ title: 'Web', definitions: web }, { title: 'Store', definitions: store }];
    expect(settingsMarkdown(sections)).toContain('| `PORT` | a whole number from 1 to 65535 | `3000` |  | Where it listens. |');
    expect(settingsMarkdown(sections)).toContain('| `STORE_URL` | a URL that begins with postgres:// | **required** | yes |');
    expect(settingsEnvExample(sections)).toContain('#PORT=3000\n');
  });

  it.each(['REPLICA_URLS', 'REPLICA_UR', 'REPLICA_URK', 'RELPICA_URL'])('that nobody reads are pointed at when they look like one: %s', (name) => {
    expect(misspelledSettings([web, store], { [name]: 'x' })).toEqual([`The environment has ${name}, which is no setting. Was REPLICA_URL meant?`]);
    expect(misspelledSettings([web, store], { [name]: 'x', REPLICA_URL: 'postgres://h/db' })).toEqual([]);
  });
});
