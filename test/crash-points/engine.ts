import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Await, awaitsOf } from './awaits.ts';

export const projectRoot = path.resolve(import.meta.dirname, '../..');

/** The folders whose files are the engine: what stands between a command and the last effect of its events. */
const FOLDERS = ['libs/persistence/src', 'libs/messaging/src'];

/** Files in these folders that are not part of it, each with the reason. */
const NOT_THE_ENGINE: readonly [pattern: RegExp, reason: string][] = [
  [/\.spec\.ts$|\/fixtures\//, 'tests'],
  [/\/embedded-postgres[^/]*$/, 'starts the Postgres of `npm start`; no event depends on it'],
  [/\/operations\/(?!move-reader|trouble-requests)|\/measures\.ts$|\/nats\/stream-inspector\.ts$/, 'what people look at: it only reads'],
  [/\/nats\/(strategy|event-consumer)\.ts$/, "Nest's own message patterns: at least once and without order, promised as such"],
];

/** An await of the engine: a point at which a test kills the process. */
export interface CrashPoint extends Await {
  /** File below the project's root. */
  readonly file: string;
}

/** The source files of the engine, below the project's root. */
export function engineFiles(): string[] {
  return FOLDERS.flatMap((folder) => readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.posix.join(folder, file)))
    .filter((file) => file.endsWith('.ts') && !NOT_THE_ENGINE.some(([pattern]) => pattern.test(file)))
    .toSorted();
}

/** Every await of one of its files. A name begins with the file's, so it is one of a kind in the project. */
export function crashPoints(file: string, text = readFileSync(path.join(projectRoot, file), 'utf8')): CrashPoint[] {
  const [, library, module] = /^libs\/([^/]+)\/src\/(.+)\.ts$/.exec(file)!;
  return awaitsOf(file, text).map((found) => ({ ...found, file, name: found.name && `${library}/${module} ${found.name}` }));
}

/** What is wrong with the names, and what to do; empty when each point has a name of its own. */
export function misnamed(points: readonly CrashPoint[]): string[] {
  const first = new Map<string, CrashPoint>();
  return points.flatMap((point) => {
    const where = `${point.file}:${point.line}`;
    if (!point.name) return [`${where}: "${point.node.getText().split('\n')[0]}" has no name as a crash point: pull what is awaited into a named call.`];
    const other = first.get(point.name);
    if (!other) first.set(point.name, point);
    return other ? [`${where}: "${point.name}" is already the name of line ${other.line}, and a crash point needs its own: pull one of the two into a named call.`] : [];
  });
}
