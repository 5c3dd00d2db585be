import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { misspelledSettings } from './misspelled.js';
import { resolveSecrets } from './secrets.js';
import { InvalidSettings } from './settings.js';
import { explainSettings } from './settings-origin.js';
import { TestVault } from './test-vault.spec.js';
import { vaultSettings } from './vault.settings.js';

const shop = {
  PORT: { type: 'integer', default: 3000, description: 'Where it listens.' },
  STORE_URL: { type: 'url', protocols: ['postgres:'], secret: true, description: 'The store.' },
  MAIL_PASSWORD: { type: 'string', optional: true, secret: true, description: 'Of the mail server.' },
} as const;
const URL_OF_STORE = 'postgres://app:hunter2@h/db';

let folder: string;
let vault: TestVault;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nestbox-secrets-'));
  vault = await TestVault.start({
    'secret/shop': { store: URL_OF_STORE, mail: 'hunter2', empty: '', number: 5 },
    'secret/team/shop%20eu': { mail: 'hunter3' },
  });
});

afterAll(async () => {
  await vault?.stop();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(() => {
  vault.state = 'open';
  vault.asked.length = 0;
});

const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const resolve = (env: NodeJS.ProcessEnv) => resolveSecrets(env, shop, vaultSettings);
const withVault = (env: NodeJS.ProcessEnv) => resolve({ VAULT_ADDR: vault.address, VAULT_TOKEN: TestVault.token, ...env });

/** The table of what is wrong, which no secret may be in. */
async function failure(resolving: Promise<unknown>): Promise<InvalidSettings> {
  const error = await resolving.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(InvalidSettings);
  expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toMatch(/hunter|hvs\.|secret-id-of/);
  return error as InvalidSettings;
}

describe('a secret', () => {
  it('in the environment stays as it is, and nobody asks Vault', async () => {
    const env = { STORE_URL: URL_OF_STORE, VAULT_ADDR: vault.address, VAULT_TOKEN: 'x', HOME: '/root' };
    expect(await resolve(env)).toEqual(env);
    expect(vault.asked).toEqual([]);
  });

  describe('in a file', () => {
    it.each([['as it is', 'hunter2'], ['without its last line break', 'hunter2\n'], ['without that of another system', 'hunter2\r\n']])('is read %s', async (_, content) => {
      expect(await resolve({ STORE_URL: URL_OF_STORE, MAIL_PASSWORD_FILE: file('mail', content) })).toEqual({ STORE_URL: URL_OF_STORE, MAIL_PASSWORD: 'hunter2' });
    });

    it('keeps what else is in it', async () => {
      expect(await resolve({ STORE_URL: URL_OF_STORE, MAIL_PASSWORD_FILE: file('mail', ' hunter2 \n\n') })).toMatchObject({ MAIL_PASSWORD: ' hunter2 \n' });
      expect(await resolve({ STORE_URL: URL_OF_STORE, MAIL_PASSWORD_FILE: file('mail', 'vault:secret/shop#mail') })).toMatchObject({ MAIL_PASSWORD: 'vault:secret/shop#mail' });
    });

    it('that cannot be had ends the start, with everything else that is wrong', async () => {
      const { problems, message } = await failure(resolve({ PORT: 'http', STORE_URL: URL_OF_STORE, STORE_URL_FILE: file('store', URL_OF_STORE), MAIL_PASSWORD_FILE: join(folder, 'nowhere') }));
      expect(problems).toEqual([
        { name: 'STORE_URL_FILE', value: JSON.stringify(join(folder, 'store')), problem: 'is set, and so is STORE_URL: unset one of them' },
        { name: 'MAIL_PASSWORD_FILE', value: JSON.stringify(join(folder, 'nowhere')), problem: 'cannot be read: there is no such file' },
        { name: 'PORT', value: '"http"', problem: 'must be a whole number' },
      ]);
      expect(message).toMatch(/MAIL_PASSWORD_FILE +".*nowhere" +cannot be read/);
    });

    it.each([['is empty', () => file('empty', '\n'), 'names a file that is empty'], ['is a folder', () => folder, 'cannot be read: it is a directory']])('that %s ends the start, once', async (_, path, problem) => {
      expect((await failure(resolve({ STORE_URL_FILE: path() }))).problems).toEqual([{ name: 'STORE_URL_FILE', value: JSON.stringify(path()), problem }]);
    });

    it('that is wrong is not shown', async () => {
      const env = await resolve({ STORE_URL_FILE: file('store', 'mysql://hunter2') });
      await failure(resolve({ ...env, MAIL_PASSWORD_FILE: join(folder, 'nowhere') }));
    });

    it('is only for what is secret', async () => {
      const env = { STORE_URL: URL_OF_STORE, PORT_FILE: file('port', '80') };
      expect(await resolve(env)).toEqual(env);
      expect(misspelledSettings([shop], { ...env, MAIL_PASSWORD_FILE: 'x' })).toEqual(['The environment has PORT_FILE, but only secrets come from files. Set PORT itself.']);
    });
  });

  describe('in Vault', () => {
    const STORE = 'vault:secret/shop#store';

    it('is read with a token, each path once', async () => {
      expect(await withVault({ STORE_URL: STORE, MAIL_PASSWORD: 'vault:secret/shop#mail' })).toMatchObject({ STORE_URL: URL_OF_STORE, MAIL_PASSWORD: 'hunter2' });
      expect(vault.asked).toEqual(['GET /v1/secret/data/shop']);
    });

    it('may lie deep, and in a namespace', async () => {
      expect(await withVault({ STORE_URL: URL_OF_STORE, MAIL_PASSWORD: 'vault:secret/team/shop eu#mail', VAULT_NAMESPACE: 'eu/' })).toMatchObject({ MAIL_PASSWORD: 'hunter3' });
      expect(vault.asked).toEqual(['GET /v1/secret/data/team/shop%20eu eu/']);
    });

    it('is read after a login as a role, whose secret may be in a file', async () => {
      const { role_id: VAULT_ROLE_ID, secret_id } = TestVault.role;
      expect(await resolve({ VAULT_ADDR: `${vault.address}/`, VAULT_ROLE_ID, VAULT_SECRET_ID_FILE: file('id', `${secret_id}\n`), STORE_URL: STORE, MAIL_PASSWORD: 'vault:secret/team/shop eu#mail' })).toMatchObject({ STORE_URL: URL_OF_STORE });
      expect(vault.asked).toEqual(['POST /v1/auth/approle/login', 'GET /v1/secret/data/shop', 'GET /v1/secret/data/team/shop%20eu']);
    });

    it.each<[string, NodeJS.ProcessEnv, object]>([
      ['no address', { VAULT_ADDR: '' }, { name: 'VAULT_ADDR', value: '(unset)', problem: 'is required: a setting refers to Vault' }],
      ['an address that is none', { VAULT_ADDR: 'vault.example.com' }, { name: 'VAULT_ADDR', problem: 'must be a URL that begins with http:// or https://' }],
      ['no token', { VAULT_TOKEN: '' }, { name: 'VAULT_TOKEN', value: '(unset)', problem: 'is required to read from Vault, or VAULT_ROLE_ID and VAULT_SECRET_ID' }],
      ['half a role', { VAULT_TOKEN: '', VAULT_ROLE_ID: 'r' }, { name: 'VAULT_TOKEN' }],
      ['a role that is refused', { VAULT_TOKEN: '', VAULT_ROLE_ID: 'r', VAULT_SECRET_ID: 'secret-id-of-nobody' }, { name: 'VAULT_SECRET_ID', value: '(hidden)', problem: 'was refused by Vault, or VAULT_ROLE_ID was (400)' }],
      ['nothing that answers', { VAULT_ADDR: 'http://me:hunter2@127.0.0.1:1' }, { name: 'VAULT_ADDR', value: '"http://127.0.0.1:1"', problem: expect.stringMatching(/^cannot be reached \(/) }],
      ['a token that is refused', { VAULT_TOKEN: 'hvs.other' }, { name: 'STORE_URL', value: STORE, problem: 'may not be read with this token (403): it needs a policy with "read" on secret/data/shop' }],
      ['a secret that it may not read', { STORE_URL: 'vault:secret/forbidden#x' }, { name: 'STORE_URL', value: 'vault:secret/forbidden#x', problem: expect.stringContaining('(403)') }],
      ['a secret that there is not', { STORE_URL: 'vault:secret/nothing#x' }, { name: 'STORE_URL', problem: 'is not in Vault, or deleted there (404): there is no nothing in the key-value engine (version 2) at secret/' }],
      ['a key that there is not', { STORE_URL: 'vault:secret/shop#url' }, { name: 'STORE_URL', value: 'vault:secret/shop#url', problem: 'has no such key: the secret has store, mail, empty, number' }],
      ['a key without a text', { STORE_URL: 'vault:secret/shop#number' }, { name: 'STORE_URL', problem: 'is no text, or empty, in Vault' }],
      ['an empty one', { STORE_URL: 'vault:secret/shop#empty' }, { name: 'STORE_URL', problem: 'is no text, or empty, in Vault' }],
      ...['vault:secret#x', 'vault:secret/shop', 'vault:hunter2', 'vault:secret/../sys#x', 'vault:/shop#x', 'vault:secret//shop#x'].map(
        (STORE_URL): [string, NodeJS.ProcessEnv, object] => ['what is no reference', { STORE_URL }, { name: 'STORE_URL', value: '(hidden)', problem: 'is no reference to Vault: write vault:<mount>/<path>#<key>' }],
      ),
    ])('ends the start with one row: %s %j', async (_, env, problem) => {
      expect((await failure(withVault({ STORE_URL: STORE, ...env }))).problems).toEqual([expect.objectContaining(problem)]);
    });

    it.each([
      ['sealed', /^is sealed, or in maintenance \(503\): unseal it$/],
      ['standby', /^sends elsewhere \(307\): name the active node/],
      ['silent', /^did not answer within 200 ms \(VAULT_TIMEOUT_MS\)$/],
    ] as const)('that is %s ends the start with one row, however many ask for it', async (state, problem) => {
      vault.state = state;
      const { problems } = await failure(withVault({ STORE_URL: STORE, MAIL_PASSWORD: 'vault:secret/team/shop eu#mail', VAULT_TIMEOUT_MS: '200' }));
      expect(problems).toEqual([{ name: 'VAULT_ADDR', value: JSON.stringify(vault.address), problem: expect.stringMatching(problem) }]);
    });

    it('is only for what is secret', async () => {
      expect((await failure(withVault({ STORE_URL: 'vault:secret/nothing#x', PORT: 'vault:secret/shop#store' }))).problems).toEqual([
        expect.objectContaining({ name: 'STORE_URL' }),
        { name: 'PORT', value: '"vault:secret/shop#store"', problem: 'must be a whole number' },
      ]);
    });
  });
});

describe('the explanation of the settings', () => {
  const explain = (env: NodeJS.ProcessEnv, dotEnv: Record<string, string> = {}) =>
    Object.fromEntries(explainSettings([{ title: 'Shop', definitions: shop }, { title: 'Vault', definitions: vaultSettings }], env, dotEnv).map(({ name, value, from }) => [name, [value, from]]));

  it('says where each comes from, and no secret', () => {
    const explained = explain({ PORT: '80', STORE_URL: 'vault:secret/shop#store', MAIL_PASSWORD_FILE: '/run/secrets/mail', VAULT_TOKEN: 'hunter2', VAULT_NAMESPACE: 'eu' }, { PORT: '80', VAULT_NAMESPACE: 'us' });
    expect(explained).toEqual({
      PORT: ['80', '.env'],
      STORE_URL: ['(secret)', 'vault secret/shop#store'],
      MAIL_PASSWORD: ['(secret)', 'file /run/secrets/mail'],
      VAULT_ADDR: ['(unset)', 'default'],
      VAULT_TOKEN: ['(secret)', 'environment'],
      VAULT_ROLE_ID: ['(unset)', 'default'],
      VAULT_SECRET_ID: ['(unset)', 'default'],
      VAULT_NAMESPACE: ['eu', 'environment'],
      VAULT_TIMEOUT_MS: ['5000', 'default'],
    });
    expect(explain({ PORT: '', STORE_URL: 'vault:hunter2' })).toMatchObject({ PORT: ['3000', 'default'], STORE_URL: ['(secret)', 'environment'] });
  });

  it('says what each is for', () => {
    expect(explainSettings([{ title: 'Shop', definitions: shop }], {}, {})[0]).toEqual({ section: 'Shop', name: 'PORT', value: '3000', from: 'default', description: 'Where it listens.' });
  });
});
