import { DevIssuer, JWT_ALGORITHMS, type JwtAlgorithm, jwtReader, type TokenReader } from '@nestbox/http';
import { PUBLIC, type SettingValues, UsageError } from '@nestbox/kernel';
import { catalogueOf, OPERATIONS_PERMISSION } from '@nestbox/messaging';
import { adminTokenReader } from '../admin/admin-token.js';
import { contexts } from '../contexts.js';
import type { identitySettings } from './identity.settings.js';
import type { ApplicationSettings } from './settings.js';
import { keyFor } from './shared-secret.js';

/** How the API knows its callers. */
export interface Identification {
  readonly tokenReaders: readonly TokenReader[];
  /** Set when tokens are for everybody. */
  readonly devIssuer?: DevIssuer;
}

/**
 * How callers of the API are known, by the settings.
 * @throws UsageError when nobody could be known, when anybody could in production, or when the settings contradict each other
 */
export async function identification({ admin, identity, messaging }: ApplicationSettings, env: NodeJS.ProcessEnv): Promise<Identification> {
  const ofOperators = admin.ADMIN_TOKEN === undefined ? [] : [adminTokenReader(admin.ADMIN_TOKEN)];
  if (!identity.DEV_ISSUER) return { tokenReaders: [...ofOperators, await jwtReader(jwtOptions(identity))] };
  if (env['NODE_ENV'] === 'production') throw new UsageError('DEV_ISSUER gives a token to whoever asks, and NODE_ENV is production.', 'unset DEV_ISSUER, and say with JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL whose tokens are believed.');
  if (identity.JWT_ISSUER !== undefined) throw new UsageError('Both DEV_ISSUER and JWT_ISSUER are set, and only one issuer can be believed.', 'unset one of them.');
  const devIssuer = new DevIssuer(keyFor('tokens for development', messaging.SERVICE_KEY));
  return { tokenReaders: [...ofOperators, await devIssuer.reader()], devIssuer };
}

/** Every permission that a command or query asks for, and that of those who operate the system. */
export function allPermissions(): string[] {
  const asked = catalogueOf(Object.values(contexts)).messages.flatMap(({ message: { permission } }) => (permission === undefined || permission === PUBLIC ? [] : [permission]));
  return [...new Set([...asked, OPERATIONS_PERMISSION])].toSorted();
}

function jwtOptions(settings: SettingValues<typeof identitySettings>): Parameters<typeof jwtReader>[0] {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: url, JWT_PUBLIC_KEY: pem, JWT_ALGORITHMS: algorithms, JWT_TENANT_CLAIM: tenant, JWT_PERMISSIONS_CLAIM: permissionsClaim } = settings;
  const missing = Object.entries({ JWT_ISSUER: issuer, JWT_AUDIENCE: audience, 'JWT_JWKS_URL or JWT_PUBLIC_KEY': url ?? pem }).filter(([, value]) => value === undefined).map(([name]) => name);
  if (missing.length > 0) throw new UsageError(`Nobody could use the API: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not set, so no token can be believed.`, 'name the issuer of your tokens; for development alone, set DEV_ISSUER=true, which issues them at POST /dev/token.');
  if (url !== undefined && pem !== undefined) throw new UsageError('Both JWT_JWKS_URL and JWT_PUBLIC_KEY are set.', 'unset one of them.');
  return {
    keys: url === undefined ? pem!.replaceAll('\\n', '\n') : new URL(url),
    issuer: issuer!,
    audience: audience!,
    algorithms: algorithmsOf(algorithms),
    tenantClaim: tenant === '-' ? undefined : tenant,
    permissionsClaim,
  };
}

function algorithmsOf(text: string): JwtAlgorithm[] {
  return text.split(',').map((part) => {
    const found = JWT_ALGORITHMS.find((algorithm) => algorithm === part.trim());
    if (!found) throw new UsageError(`JWT_ALGORITHMS has "${part.trim()}", which is not an algorithm for tokens here.`, `use ${JWT_ALGORITHMS.join(', ')}, separated by commas.`);
    return found;
  });
}
