import type { SettingValues } from '@nestbox/kernel';
import type { vaultSettings } from './vault.settings.js';

/** A secret in Vault's key-value engine, version 2. */
export interface VaultReference {
  readonly mount: string;
  readonly path: string;
  readonly key: string;
}

/** Why a secret cannot be had from Vault; `setting` is what has to be corrected, unless it is the reference itself. */
export class VaultFailure extends Error {
  constructor(
    message: string,
    readonly setting?: keyof typeof vaultSettings,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

const REFERENCE = /^vault:([^/#]+)\/([^#]+)#(.+)$/;

/** Whether a value is looked up in Vault, well-formed or not. */
export function isVaultReference(value: string): boolean {
  return value.startsWith('vault:');
}

/** `vault:<mount>/<path>#<key>`; undefined when it is malformed. */
export function parseVaultReference(value: string): VaultReference | undefined {
  const [, mount, path, key] = REFERENCE.exec(value) ?? [];
  if (mount === undefined || [mount, ...path!.split('/')].some((segment) => /^\.{0,2}$/.test(segment))) return undefined;
  return { mount, path: path!, key: key! };
}

/** As much of Vault's HTTP API as reading a secret takes. Source: developer.hashicorp.com/vault/api-docs. */
export class Vault {
  private constructor(
    private readonly settings: SettingValues<typeof vaultSettings>,
    private readonly token: string | undefined,
  ) {}

  /** Logs in, unless there is a token already. @throws VaultFailure */
  static async open(settings: SettingValues<typeof vaultSettings>): Promise<Vault> {
    const { VAULT_ADDR: address, VAULT_TOKEN: token, VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId } = settings;
    if (address === undefined) throw new VaultFailure('is required: a setting refers to Vault', 'VAULT_ADDR');
    if (token !== undefined) return new Vault(settings, token);
    if (roleId === undefined || secretId === undefined) throw new VaultFailure('is required to read from Vault, or VAULT_ROLE_ID and VAULT_SECRET_ID', 'VAULT_TOKEN');
    const { status, body } = await new Vault(settings, undefined).request('POST', 'auth/approle/login', { role_id: roleId, secret_id: secretId });
    const granted = (body as { auth?: { client_token?: unknown } } | undefined)?.auth?.client_token;
    if (status !== 200 || typeof granted !== 'string') throw new VaultFailure(`was refused by Vault, or VAULT_ROLE_ID was (${status})`, 'VAULT_SECRET_ID');
    return new Vault(settings, granted);
  }

  /** All keys of a secret, in its newest version. @throws VaultFailure */
  async read({ mount, path }: Pick<VaultReference, 'mount' | 'path'>): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await this.request('GET', [mount, 'data', ...path.split('/')].map(encodeURIComponent).join('/'));
    if (status === 403) throw new VaultFailure(`may not be read with this token (403): it needs a policy with "read" on ${mount}/data/${path}`);
    if (status === 404) throw new VaultFailure(`is not in Vault, or deleted there (404): there is no ${path} in the key-value engine (version 2) at ${mount}/`);
    const data = (body as { data?: { data?: unknown } } | undefined)?.data?.data;
    if (status !== 200 || typeof data !== 'object' || data === null) throw new VaultFailure(`was not answered by Vault as a secret (${status})`);
    return data as Record<string, unknown>;
  }

  private async request(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }> {
    const { VAULT_ADDR: address, VAULT_NAMESPACE: namespace, VAULT_TIMEOUT_MS: timeoutMs } = this.settings;
    const headers = { 'x-vault-request': 'true', ...(this.token !== undefined && { 'x-vault-token': this.token }), ...(namespace !== undefined && { 'x-vault-namespace': namespace }) };
    try {
      // Another host would be sent the token, too: redirects are not followed.
      const response = await fetch(`${address!.replace(/\/+$/, '')}/v1/${path}`, { method, headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs), ...(body && { body: JSON.stringify(body) }) });
      const text = await response.text();
      if (response.status === 503) throw new VaultFailure('is sealed, or in maintenance (503): unseal it', 'VAULT_ADDR');
      if (response.status >= 300 && response.status < 400) throw new VaultFailure(`sends elsewhere (${response.status}): name the active node, or one that forwards`, 'VAULT_ADDR');
      return { status: response.status, body: parse(text) };
    } catch (error) {
      throw error instanceof VaultFailure ? error : new VaultFailure(unreachable(error, timeoutMs), 'VAULT_ADDR');
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(error: unknown, timeoutMs: number): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return `did not answer within ${timeoutMs} ms (VAULT_TIMEOUT_MS)`;
  return `cannot be reached (${cause?.code ?? 'no answer'}): is Vault running there?`;
}
