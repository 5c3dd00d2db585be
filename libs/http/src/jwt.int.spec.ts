import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { SignJWT, type JWTPayload } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DevIssuer } from './dev-issuer.js';
import { startServer, type TestServer } from './fixture.spec.js';
import { JWT_ALGORITHMS, type JwtOptions, jwtReader } from './jwt.js';

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'shop';
const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const claims: JWTPayload = { iss: ISSUER, aud: AUDIENCE, sub: 'ada', tenant: 'acme', permissions: ['notes:read'], exp: inSeconds(60) };

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

const sign = (payload: JWTPayload, { alg = 'RS256', kid = alg, key = pairs[alg as keyof typeof pairs].privateKey, more = {} }: { alg?: string; kid?: string; key?: KeyObject | Uint8Array; more?: object } = {}) =>
  new SignJWT(payload).setProtectedHeader({ alg, kid, ...more }).sign(key);
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

/** An issuer that publishes keys, and counts who asks for them. */
class Issuer {
  asked = 0;
  status = 200;
  keys: object[] = Object.entries(pairs).map(([alg, { publicKey }]) => ({ ...publicKey.export({ format: 'jwk' }), kid: alg, alg, use: 'sig' }));
  private server: Server | undefined;

  async start(): Promise<URL> {
    this.server = createServer((_, response) => {
      this.asked += 1;
      response.writeHead(this.status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: this.keys }));
    });
    await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
    return new URL(`http://127.0.0.1:${(this.server.address() as { port: number }).port}/jwks`);
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
  }
}

describe('a JSON Web Token', () => {
  const issuer = new Issuer();
  const stranger = new Issuer();
  let url: URL;
  let strangeUrl: URL;
  let server: TestServer;
  const started: TestServer[] = [];

  async function start(options: Partial<JwtOptions> = {}): Promise<TestServer> {
    const reader = await jwtReader({ keys: url, issuer: ISSUER, audience: AUDIENCE, tenantClaim: 'tenant', permissionsClaim: 'permissions', ...options });
    const one = await startServer({ tokenReaders: [reader] });
    started.push(one);
    return one;
  }

  beforeAll(async () => {
    url = await issuer.start();
    strangeUrl = await stranger.start();
    server = await start();
  });
  afterEach(async () => {
    issuer.status = 200;
    for (const one of started.splice(1)) await one.close();
  });
  afterAll(async () => {
    for (const one of started) await one.close();
    await issuer.stop();
    await stranger.stop();
  });

  const ask = (authorization: string, at = server) => at.fetch('/whoami', { headers: { authorization } });
  const send = (token: string, at?: TestServer) => ask(`Bearer ${token}`, at);

  /** Expects a refusal that says why. */
  async function refused(token: string, why: RegExp, at?: TestServer): Promise<void> {
    const answer = await send(token, at);
    const problem = (await answer.json()) as { code: string; detail: string };
    expect([answer.status, problem.code, answer.headers.get('www-authenticate')]).toEqual([401, 'http.invalid-token', 'Bearer error="invalid_token"']);
    expect(problem.detail).toMatch(why);
  }

  it.each(JWT_ALGORITHMS)('signed with %s says who calls, for which tenant, and what they may', async (alg) => {
    const answer = await send(await sign(claims, { alg }));
    expect(await answer.json()).toEqual({ identity: { subject: 'ada', permissions: ['notes:read'] }, tenantId: 'acme' });
  });

  it('is checked with one public key where there is no address', async () => {
    const own = await start({ keys: pem(pairs.ES256.publicKey), algorithms: ['ES256'] });
    expect((await send(await sign(claims, { alg: 'ES256', kid: 'whatever' }), own)).status).toBe(200);
    await refused(await sign(claims, { alg: 'RS256' }), /must be signed with ES256/, own);
    await expect(start({ keys: pem(pairs.ES256.publicKey) })).rejects.toThrow(/one public key for the algorithms RS256, ES256, EdDSA/);
    await expect(start({ keys: 'nonsense', algorithms: ['RS256'] })).rejects.toThrow(/cannot be read[\s\S]*-----BEGIN PUBLIC KEY-----/);
  });

  it('is missing: nobody is known, and nothing is refused yet', async () => {
    expect(await (await server.fetch('/whoami')).json()).toEqual({ tenantId: 'default' });
  });

  it('may have its permissions as one text, and may not claim them all', async () => {
    const own = await start({ permissionsClaim: 'scope' });
    const permissions = async (scope: unknown) => ((await (await send(await sign({ ...claims, scope }), own)).json()) as { identity: { permissions: string[] } }).identity.permissions;
    expect(await permissions('notes:read notes:write')).toEqual(['notes:read', 'notes:write']);
    expect(await permissions(['*', 'notes:read', 7])).toEqual(['notes:read']);
    expect(await permissions({ all: true })).toEqual([]);
  });

  it('is refused without a signature', async () => {
    for (const alg of ['none', 'None', 'nOnE', '']) await refused(`${encode({ alg })}.${encode(claims)}.`, /must be signed|no valid/);
    await refused(`${encode({ alg: 'RS256', kid: 'RS256' })}.${encode(claims)}.`, /signature/);
  });

  it('is refused when a public key was used as a secret', async () => {
    for (const key of [pem(pairs.RS256.publicKey), JSON.stringify(issuer.keys[0])]) {
      const signed = `${encode({ alg: 'HS256', kid: 'RS256' })}.${encode(claims)}`;
      await refused(`${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`, /must be signed with/);
    }
  });

  it('is refused when its algorithm is not that of its key', async () => {
    await refused(await sign(claims, { alg: 'RS256', kid: 'ES256' }), /does not publish|signature|no valid/);
    await refused(await sign(claims, { alg: 'ES256', kid: 'EdDSA' }), /does not publish|signature|no valid/);
  });

  it('is refused when it has expired, is not valid yet, or never expires', async () => {
    await refused(await sign({ ...claims, exp: inSeconds(-10) }), /expired/);
    await refused(await sign({ ...claims, nbf: inSeconds(60) }), /not valid yet/);
    const { exp: _, ...endless } = claims;
    await refused(await sign(endless), /"exp"/);
  });

  it('is refused for another audience, of another issuer, and of nobody', async () => {
    await refused(await sign({ ...claims, aud: 'shop-admin' }), /not for the audience "shop"/);
    await refused(await sign({ ...claims, aud: ['a', 'b'] }), /not for the audience/);
    await refused(await sign({ ...claims, iss: 'https://issuer.example.com' }), /not of the issuer/);
    for (const sub of [undefined, '', 'two words', 'x'.repeat(256)]) await refused(await sign({ ...claims, sub } as JWTPayload), /"sub"/);
    expect((await send(await sign({ ...claims, aud: ['other', AUDIENCE] }))).status).toBe(200);
  });

  it('is refused when a stranger has signed it, whatever key it names or brings along', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'RS256', alg: 'RS256' };
    stranger.keys = [jwk];
    await refused(await sign(claims, { key: privateKey }), /signature of the token is wrong/);
    for (const more of [{ jku: strangeUrl.href }, { x5u: strangeUrl.href }, { jwk }, { x5c: ['MIIB'] }]) await refused(await sign(claims, { key: privateKey, more }), /signature of the token is wrong/);
    for (const kid of ['../../../../dev/null', "x' union select 'key'; --", '', '0', 'RS256\u0000', '__proto__', '/etc/passwd', strangeUrl.href]) await refused(await sign(claims, { key: privateKey, kid }), /does not publish|no valid/);
    expect(stranger.asked).toBe(0);
  });

  it('is refused when a claim was changed after it was signed', async () => {
    const [head, , signature] = (await sign(claims)).split('.');
    for (const change of [{ tenant: 'globex' }, { permissions: ['notes:write'] }, { sub: 'eve' }, { exp: inSeconds(9_999) }]) await refused(`${head}.${encode({ ...claims, ...change })}.${signature}`, /signature of the token is wrong/);
  });

  it.each([undefined, '', 7, 'a b', '-x', '../acme', 'x'.repeat(65), ['acme'], { $ne: '' }])('is refused with the tenant %j', async (tenant) => {
    await refused(await sign({ ...claims, tenant } as JWTPayload), /its tenant, must be/);
  });

  it('says nothing of tenants where there is one', async () => {
    const own = await start({ tenantClaim: undefined });
    const { tenant: _, ...single } = claims;
    expect(await (await send(await sign(single), own)).json()).toMatchObject({ tenantId: 'default' });
  });

  it('is refused when it is none, with words', async () => {
    const good = await sign(claims);
    for (const authorization of ['Bearer', 'Bearer ', `Basic ${good}`, good, `Bearer ${good} ${good}`, 'Bearer {"alg":"none"}']) {
      const answer = await ask(authorization);
      expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([401, 'The header Authorization must be "Bearer <token>".']);
    }
    await refused('nonsense', /no kind that this service knows/);
    await refused('a.b.c', /no valid JSON Web Token/);
    await refused(`${encode({ alg: 'RS256', kid: 'RS256', crit: ['b64'], b64: false })}.${encode(claims)}.AAAA`, /no valid|signature/);
    await refused(`${good}${'A'.repeat(8_192)}`, /longer than 8192/);
  });

  it('is believed again when the keys of its issuer can be fetched again', async () => {
    const own = await start();
    issuer.status = 500;
    const token = await sign(claims);
    const answer = await send(token, own);
    expect([answer.status, await answer.json()]).toEqual([503, expect.objectContaining({ code: 'http.unavailable', detail: expect.stringMatching(/keys of the issuer/) })]);
    issuer.status = 200;
    expect((await send(token, own)).status).toBe(200);
  });

  it('needs no new fetch of the keys each time, also when others name keys that do not exist', async () => {
    const own = await start();
    const before = issuer.asked;
    const token = await sign(claims);
    for (let i = 0; i < 20; i++) expect((await send(token, own)).status).toBe(200);
    for (let i = 0; i < 20; i++) await refused(await sign(claims, { kid: `unknown-${i}` }), /does not publish/, own);
    expect(issuer.asked - before).toBe(1);
  });

  it('that expires is refused from then on, although it was good before', async () => {
    const own = await start();
    const token = await sign({ ...claims, exp: inSeconds(-3) });
    // Within the tolerance of the clocks.
    expect((await send(token, own)).status).toBe(200);
    await expect.poll(async () => (await send(token, own)).status, { timeout: 30_000, interval: 200 }).toBe(401);
  });

  it('of the issuer for development is believed by those with the same secret only', async () => {
    const seed = Buffer.alloc(32, 7);
    const [one, same, other] = [new DevIssuer(seed), new DevIssuer(seed), new DevIssuer(Buffer.alloc(32, 8))];
    const own = await startServer({ tokenReaders: [await one.reader()] });
    started.push(own);
    const developer = { subject: 'developer', tenantId: 'acme', permissions: ['notes:read'] };
    expect(await (await send(await same.issue(developer), own)).json()).toEqual({ identity: { subject: 'developer', permissions: ['notes:read'] }, tenantId: 'acme' });
    await refused(await other.issue(developer), /signature of the token is wrong/, own);
    await refused(await sign(claims), /must be signed with EdDSA/, own);
  });
});
