import { UsageError } from '@nestbox/kernel';
import type { Deprecation } from './deprecation.js';

/** A path that answers like another one, for callers who know only that. */
export interface RouteAlias extends Pick<Deprecation, 'since' | 'sunset'> {
  readonly method: string;
  /** The old path: `/v1/order/:id`. */
  readonly path: string;
  /** The path of the route that answers, with the same parameters. */
  readonly target: string;
}

const ALIAS = /^(?<method>[A-Z]+) +(?<path>\/\S*) *-> *(?<target>\/\S*) +since +(?<since>\S+)( +until +(?<sunset>\S+))?$/;

/**
 * Reads `GET /v1/order/:id -> /v1/orders/:id since 2026-01-31 until 2026-12-31; …`. Line breaks count as spaces, `until` may be left out.
 * @throws UsageError for what cannot be read
 */
export function parseRouteAliases(text: string): readonly RouteAlias[] {
  const parts = text.split(';').map((part) => part.trim().replace(/\s+/g, ' ')).filter((part) => part !== '');
  return parts.map((part) => {
    const { method, path, target, since, sunset } = ALIAS.exec(part)?.groups ?? {};
    if (!method || !path || !target || !since) throw new UsageError(`The route alias "${part}" cannot be read.`, 'write <METHOD> <old path> -> <path> since <day> [until <day>], with a semicolon between two of them, for example: GET /v1/order/:id -> /v1/orders/:id since 2026-01-31.');
    return { method, path, target, since, ...(sunset !== undefined && { sunset }) };
  });
}

/** The names of the parameters of a path. */
export function parametersOf(path: string): string {
  return [...path.matchAll(/:(\w+)/g)].map((match) => match[1]).toSorted().join(', ');
}
