import type { KeyObject } from 'node:crypto';
import { type Identity, UsageError } from '@nestbox/kernel';
import { createRemoteJWKSet, errors, importSPKI, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type Caller, invalidToken, type TokenReader } from './authentication.js';
import { httpProblems } from './http-problems.js';
import { HttpRefusal } from './problem.js';

/** Signatures that can be checked with a public key. Secrets that both sides share (HS256) are not among them. */
export const JWT_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

export interface JwtOptions {
  /** Where the issuer publishes its keys, or its one public key: PEM (SPKI), or a key object. */
  readonly keys: URL | string | KeyObject;
  /** What the claim `iss` must be. */
  readonly issuer: string;
  /** What the claim `aud` must be, or contain. */
  readonly audience: string;
  /** Algorithms that are believed, whatever the token says. Default: all of {@link JWT_ALGORITHMS}; with a key in PEM there is exactly one. */
  readonly algorithms?: readonly JwtAlgorithm[];
  /** Name of the claim with the tenant. A token without it is refused. Undefined: tokens say nothing of tenants, and there is one. */
  readonly tenantClaim?: string | undefined;
  /** Name of the claim with the permissions: an array of texts, or one text with blanks in between, as in `scope`. */
  readonly permissionsClaim: string;
}

/** How long a token that was good is believed without another look at its signature, in ms. */
const REMEMBERED_MS = 60_000;
const REMEMBERED_TOKENS = 10_000;
/** Clocks of two machines may differ by this much, in s. */
const CLOCK_TOLERANCE = 5;
const LONGEST_TOKEN = 8_192;
/** Names of tenants. */
export const TENANT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Ids of callers. */
export const SUBJECT = /^[\x21-\x7e]{1,255}$/;
const LOOKS_LIKE_A_JWT = /^[\w-]+\.[\w-]*\.[\w-]*$/;

/**
 * Reads JSON Web Tokens: signature, issuer, audience, time and algorithm are those of the options, never those that the token asks
 * for. Keys are fetched when one is needed that is not known yet, at most twice a minute.
 * Sources: RFC 7519, RFC 8725.
 * @throws UsageError for a public key that is none, or that stands without its algorithm
 */
export async function jwtReader(options: JwtOptions): Promise<TokenReader> {
  const { issuer, audience, algorithms = JWT_ALGORITHMS } = options;
  const getKey = await keyFinder(options);
  const verification = { issuer, audience, algorithms: [...algorithms], clockTolerance: CLOCK_TOLERANCE, requiredClaims: ['exp', 'sub'] };
  const remembered = new Map<string, { readonly caller: Caller; readonly until: number }>();
  const verify = async (token: string) => {
    if (!LOOKS_LIKE_A_JWT.test(token)) return undefined;
    if (token.length > LONGEST_TOKEN) throw invalidToken(`The token is longer than ${LONGEST_TOKEN} characters.`);
    const { payload } = await jwtVerify(token, getKey, verification).catch((error: unknown) => {
      throw refused(error, options);
    });
    const caller = callerOf(payload, options);
    if (remembered.size >= REMEMBERED_TOKENS) remembered.delete(remembered.keys().next().value!);
    remembered.set(token, { caller, until: Math.min(Date.now() + REMEMBERED_MS, payload.exp! * 1_000) });
    return caller;
  };
  return (token) => {
    const known = remembered.get(token);
    if (known && Date.now() < known.until) return known.caller;
    remembered.delete(token);
    return verify(token);
  };
}

async function keyFinder({ keys, algorithms = JWT_ALGORITHMS }: JwtOptions): Promise<JWTVerifyGetKey> {
  if (keys instanceof URL) return publishedKeys(keys);
  if (typeof keys !== 'string') return async () => keys;
  const [algorithm, ...more] = algorithms;
  if (!algorithm || more.length > 0) throw new UsageError(`There is one public key for the algorithms ${algorithms.join(', ')}.`, 'name the one algorithm that it is for.');
  const key = await importSPKI(keys, algorithm).catch((error: Error) => {
    throw new UsageError(`The public key for ${algorithm} cannot be read: ${error.message}.`, 'give it as PEM: "-----BEGIN PUBLIC KEY-----" and so on, of the kind that the algorithm needs.');
  });
  return async () => key;
}

/** Only keys from this address: those that a token brings along, or names an address for, are never looked at. */
function publishedKeys(url: URL): JWTVerifyGetKey {
  const published = createRemoteJWKSet(url, { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 10 * 60_000 });
  return (header, token) =>
    published(header, token).catch((error: unknown) => {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys || error instanceof errors.JOSENotSupported) throw error;
      throw new HttpRefusal(httpProblems.unavailable, 'The keys of the issuer of tokens cannot be fetched, so nobody can be let in. Try again in a moment.');
    });
}

function callerOf(payload: JWTPayload, { tenantClaim, permissionsClaim }: JwtOptions): Caller {
  const { sub: subject = '' } = payload;
  if (!SUBJECT.test(subject)) throw invalidToken('The claim "sub" of the token must be 1 to 255 printable ASCII characters without blanks.');
  const identity: Identity = { subject, permissions: permissionsOf(payload[permissionsClaim]) };
  if (tenantClaim === undefined) return { identity };
  const tenantId = payload[tenantClaim];
  if (typeof tenantId !== 'string' || !TENANT.test(tenantId)) throw invalidToken(`The claim "${tenantClaim}" of the token, its tenant, must be 1 to 64 letters, digits, ".", "_" and "-".`);
  return { identity, tenantId };
}

/** `*` is nothing that an issuer can grant. */
function permissionsOf(claim: unknown): readonly string[] {
  const permissions: readonly unknown[] = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(' ') : [];
  return permissions.filter((permission): permission is string => typeof permission === 'string' && permission !== '' && permission !== '*');
}

function refused(error: unknown, { issuer, audience, algorithms = JWT_ALGORITHMS }: JwtOptions): Error {
  if (error instanceof HttpRefusal) return error;
  if (error instanceof errors.JWTExpired) return invalidToken('The token has expired. Get a new one.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim } = error;
    if (claim === 'iss') return invalidToken(`The token is not of the issuer "${issuer}".`);
    if (claim === 'aud') return invalidToken(`The token is not for the audience "${audience}".`);
    if (claim === 'nbf') return invalidToken('The token is not valid yet.');
    return invalidToken(`The claim "${claim}" of the token is missing or wrong.`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return invalidToken(`The token must be signed with ${algorithms.join(' or ')}.`);
  if (error instanceof errors.JWKSNoMatchingKey) return invalidToken('The token is signed with a key that its issuer does not publish.');
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalidToken('The signature of the token is wrong.');
  return invalidToken('The token is no valid JSON Web Token.');
}
