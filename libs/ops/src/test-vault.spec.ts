import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Speaks as much of Vault's HTTP API as reading secrets takes: AppRole login, and the key-value engine, version 2. */
export class TestVault {
  /** What was asked for: method, path and namespace. */
  readonly asked: string[] = [];
  /** `sealed` and `standby` answer everything, `silent` nothing. */
  state: 'open' | 'sealed' | 'standby' | 'silent' = 'open';
  private readonly server: Server;

  private constructor(private readonly secrets: Readonly<Record<string, unknown>>) {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  static readonly token = 'hvs.token-of-the-test';
  static readonly role = { role_id: 'role-of-the-test', secret_id: 'secret-id-of-the-test' };

  /** @param secrets by path: `secret/shop` */
  static async start(secrets: Readonly<Record<string, unknown>>): Promise<TestVault> {
    const vault = new TestVault(secrets);
    await new Promise<void>((resolve) => vault.server.listen(0, '127.0.0.1', resolve));
    return vault;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '', headers } = request;
    this.asked.push([method, url, headers['x-vault-namespace']].filter(Boolean).join(' '));
    const reply = (status: number, body: object, more: Record<string, string> = {}) => void response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
    if (this.state === 'silent') return;
    if (this.state === 'sealed') return reply(503, { errors: ['Vault is sealed'] });
    if (this.state === 'standby') return reply(307, {}, { location: 'http://127.0.0.1:1/' });
    const body = Buffer.concat(await request.toArray()).toString();
    if (method === 'POST' && url === '/v1/auth/approle/login') {
      const isKnown = JSON.stringify(JSON.parse(body)) === JSON.stringify(TestVault.role);
      return isKnown ? reply(200, { auth: { client_token: TestVault.token } }) : reply(400, { errors: ['invalid role or secret ID'] });
    }
    const [, mount, path] = /^\/v1\/([^/]+)\/data\/(.+)$/.exec(url) ?? [];
    if (headers['x-vault-token'] !== TestVault.token || path === 'forbidden') return reply(403, { errors: ['permission denied'] });
    const data = this.secrets[`${mount}/${path}`];
    return data === undefined ? reply(404, { errors: [] }) : reply(200, { data: { data, metadata: { version: 1 } } });
  }
}
