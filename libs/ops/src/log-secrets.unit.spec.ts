import { describe, expect, it } from 'vitest';
import pino from 'pino';
import { withoutSecrets } from './log-secrets.js';

const SECRETS = ['authorization', 'cookie', 'set-cookie', 'x-api-key', 'password', 'secret', 'token'];
const LEVELS = 2;

/** What pino would write of a member with its own redaction, which copies every line. */
function redactedByPino(members: object): unknown {
  const paths = SECRETS.flatMap((name) => (name.includes('-') ? [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`] : [name, `*.${name}`, `*.*.${name}`]));
  let written = '';
  pino({ base: null, timestamp: false, redact: { paths, censor: '(hidden)' } }, { write: (line: string) => void (written = line) }).info(members);
  const { level: _level, ...line } = JSON.parse(written) as Record<string, unknown>;
  return line;
}

/** Of members and lists in up to five levels, secrets among them. */
function anything(random: (below: number) => number, depth = 0): unknown {
  const kind = random(depth < 4 ? 6 : 3);
  if (kind < 3) return [null, 7, 'text'][kind];
  if (kind === 3) return Array.from({ length: random(4) }, () => anything(random, depth + 1));
  const names = [...SECRETS, 'user', 'headers', 'items', '0', 'constructor'];
  return Object.fromEntries(Array.from({ length: random(5) }, () => [names[random(names.length)]!, anything(random, depth + 1)]));
}

describe('a line of a log', () => {
  it('hides what the redaction of pino hides', () => {
    let seed = 20_260_301;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    let hidden = 0;
    for (let count = 0; count < 3_000; count++) {
      const line = { first: anything(random), second: anything(random), [SECRETS[random(40)] ?? 'third']: anything(random) };
      const before = structuredClone(line);
      const shown: unknown = JSON.parse(JSON.stringify(withoutSecrets(line, LEVELS)));
      expect(line).toEqual(before);
      expect(shown).toEqual(redactedByPino(line));
      if (JSON.stringify(shown).includes('(hidden)')) hidden++;
    }
    expect(hidden).toBeGreaterThan(300);
  });

  it('is not copied when it has no secret', () => {
    const line = { context: 'http', headers: { host: 'example.com' }, items: [{ id: 1 }] };
    expect(withoutSecrets(line, LEVELS)).toBe(line);
  });

  it('hides the secrets of what must not be changed', () => {
    const line = Object.freeze({ user: Object.freeze({ password: 'hunter2', name: 'ada' }) });
    expect(withoutSecrets(line, LEVELS)).toEqual({ user: { password: '(hidden)', name: 'ada' } });
  });
});
