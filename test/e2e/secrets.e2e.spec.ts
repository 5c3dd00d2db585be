import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.ts';
import { bareEnvironment } from '../../scripts/children.ts';
import { projectRoot } from '../../scripts/project.ts';
import { TestVault } from '../../libs/ops/src/test-vault.spec.ts';

/** Not in any output, whatever happens. */
const SECRET = 'hunter2-of-the-test';

let folder: string;
let database: TestDatabase;
let vault: TestVault;

beforeAll(async () => {
  expect(build()).toBe(true);
  folder = mkdtempSync(path.join(tmpdir(), 'nestbox-secrets-'));
  database = await createTestDatabase();
  const url = new URL(database.url);
  // A server that asks for passwords must get the right one.
  url.password ||= SECRET;
  writeFileSync(path.join(folder, 'admin'), `${SECRET}\n`);
  vault = await TestVault.start({ 'secret/nestbox': { database: url.href, wrong: `postgres://${SECRET}:${SECRET}@127.0.0.1:1/nowhere` } });
});

afterAll(async () => {
  await vault?.stop();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...bareEnvironment(), HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'trace', VAULT_ADDR: vault.address, VAULT_TOKEN: TestVault.token,
  DATABASE_URL: 'vault:secret/nestbox#database', ADMIN_TOKEN_FILE: path.join(folder, 'admin'), DEV_ISSUER: 'true', ...more,
});

/** Runs a built program until it ends, or until `work` has ended with its output so far. */
async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, work?: (url: string) => Promise<void>): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [path.join('dist', program), ...args], { cwd: projectRoot, env });
  let output = '';
  let working: Promise<void> | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const port = /Health\s+http:\/\/localhost:(\d+)\//.exec(output)?.[1];
      if (work && port !== undefined) working ??= work(`http://127.0.0.1:${port}`).finally(() => child.kill('SIGTERM'));
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  await working;
  expect(output).not.toMatch(new RegExp(`${SECRET}|${TestVault.token}`));
  return { code, output };
}

describe('secrets from files and from Vault', () => {
  it('are used, and in no output', async () => {
    const { code, output } = await run('main.js', [], environment(), async (url) => {
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect((await fetch(`${url}/admin/trouble`, { headers: { authorization: `Bearer ${SECRET}` } })).status).toBe(200);
      const refused = await fetch(`${url}/admin/trouble`, { headers: { authorization: `Bearer ${SECRET}x` } });
      expect([refused.status, (await refused.text()).includes(SECRET)]).toEqual([401, false]);
    });
    expect(code, output).toBe(0);
    expect(output).toContain('GET /admin/trouble 200');
  });

  it('are used by the command line, which explains where they come from', async () => {
    expect(await run('cli.js', ['migrate', 'up'], environment())).toMatchObject({ code: 0 });
    const { code, output } = await run('cli.js', ['config', '--explain'], environment());
    expect(code, output).toBe(0);
    expect(output).toMatch(/^DATABASE_URL +\(secret\) +vault secret\/nestbox#database +Postgres of every context/m);
    expect(output).toMatch(/^ADMIN_TOKEN +\(secret\) +file .*admin +Bearer token/m);
    expect(output).toMatch(/^LOG_LEVEL +trace +environment +/m);
    expect(output).toMatch(/^SHUTDOWN_GRACE_MS +10000 +default +/m);
    expect((await run('cli.js', ['config'], environment())).output).toBe('The settings are right, and every secret can be had.\n');
  });

  it('that are wrong end the start with words, and are in none of them', async () => {
    const wrong = await run('main.js', [], environment({ DATABASE_URL: 'vault:secret/nestbox#wrong' }));
    expect(wrong).toMatchObject({ code: 1, output: expect.stringMatching(/^The database cannot be reached .*DATABASE_URL=vault:secret\/nestbox#wrong$/m) });
    const missing = await run('cli.js', ['config', '--explain'], environment({ DATABASE_URL: 'vault:secret/nestbox#nothing', ADMIN_TOKEN_FILE: path.join(folder, 'nowhere') }));
    expect(missing.code).toBe(1);
    expect(missing.output).toMatch(/^ {2}ADMIN_TOKEN_FILE +".*nowhere" +cannot be read: there is no such file$/m);
    expect(missing.output).toMatch(/^ {2}DATABASE_URL +vault:secret\/nestbox#nothing +has no such key: the secret has database, wrong$/m);
  });
});
