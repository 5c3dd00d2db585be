import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from './project.ts';

/** What is used here of a service in docker-compose.yml. */
export interface ComposeService {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test?: string | readonly string[] };
  readonly deploy?: { readonly replicas?: number };
  readonly restart?: string;
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition?: string }>>;
}

/** The file with merge keys resolved and variables filled in, as `docker compose config` prints it. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
}

export function readCompose(env: NodeJS.ProcessEnv, file = path.join(projectRoot, 'docker-compose.yml')): ComposeFile {
  return fillIn(parse(readFileSync(file, 'utf8'), { merge: true }), env) as ComposeFile;
}

/** Replaces `${NAME}`, `${NAME:-default}` and `${NAME:?what to do}` in every text of the file. @throws Error for one of the last kind that is not set */
function fillIn(node: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof node === 'string') {
    return node.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest = '') => {
      if (!env[name] && kind === '?') throw new Error(`docker-compose.yml needs ${name}: ${rest}.`);
      return env[name] || rest;
    });
  }
  if (Array.isArray(node)) return node.map((item) => fillIn(item, env));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, fillIn(value, env)]));
}

/** The services that are processes of this application; the others are what they need. */
export function applicationServices({ services }: ComposeFile): readonly (readonly [name: string, service: ComposeService])[] {
  return Object.entries(services).filter(([, { environment }]) => environment?.['SERVICE'] !== undefined);
}

/**
 * The environment of a service outside of containers: a URL whose host is another service of the file becomes the
 * local address of that service.
 */
export function localEnvironment(service: ComposeService, addresses: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(service.environment ?? {}).map(([name, value]) => {
    const host = URL.canParse(value) ? new URL(value).hostname : '';
    return [name, addresses[host] ?? String(value)] as const;
  });
  return Object.fromEntries(entries);
}

/** The path that the health check of a service asks for. @throws Error when it asks for none */
export function healthPath(name: string, { healthcheck }: ComposeService): string {
  const found = /\/health\/\w+/.exec([healthcheck?.test ?? ''].flat().join(' '));
  if (!found) throw new Error(`docker-compose.yml: the health check of "${name}" asks for no path below /health/. Add one, so that its start can be waited for.`);
  return found[0];
}
