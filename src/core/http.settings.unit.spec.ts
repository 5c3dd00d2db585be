import { readSettings } from '@nestbox/ops';
import { describe, expect, it } from 'vitest';
import { checksAnswers, httpSettings } from './http.settings.js';

describe('whether answers are checked', () => {
  it.each<[NodeJS.ProcessEnv, boolean]>([
    [{}, true],
    [{ NODE_ENV: 'test' }, true],
    [{ NODE_ENV: 'production' }, false],
    [{ NODE_ENV: 'production', CHECK_RESPONSES: 'true' }, true],
    [{ CHECK_RESPONSES: 'false' }, false],
  ])('%j: %s', (env, checked) => {
    const [settings] = readSettings(env, httpSettings);
    expect(checksAnswers(settings, env)).toBe(checked);
  });
});
