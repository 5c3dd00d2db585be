import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { type CrashPoint, crashPoints, engineFiles, projectRoot } from './engine.ts';

/**
 * Writes a copy of the built engine whose awaits pass their crash points, and returns the folder; only
 * `crash-loader.ts` loads it. What ships has no such hooks.
 * @throws when a file was not built, or was built from other awaits than its source has
 */
export function instrumentEngine(folder: string): string {
  for (const file of engineFiles()) {
    const points = crashPoints(file);
    if (points.length === 0) continue;
    const built = file.replace(/^(libs\/[^/]+)\/src\/(.+)\.ts$/, '$1/dist/$2.js');
    const where = path.join(projectRoot, built);
    if (!existsSync(where)) throw new Error(`${built} does not exist: run npm run build first.`);
    const text = readFileSync(where, 'utf8');
    const found = crashPoints(file, text);
    if (found.map(({ name }) => name).join() !== points.map(({ name }) => name).join()) throw new Error(`${built} is not what ${file} says: run npm run build first.`);
    const copy = path.join(folder, built);
    mkdirSync(path.dirname(copy), { recursive: true });
    writeFileSync(copy, withPoints(text, found));
  }
  return folder;
}

/**
 * `await call()` becomes `answered(name, await asked(name, call()))`; a `for await` is asked for once and answers with
 * every element. Nothing is printed anew: lines stay where they are.
 */
export function withPoints(text: string, points: readonly CrashPoint[]): string {
  const inserts: { at: number; text: string }[] = [];
  // An inner expression that ends where an outer one ends is closed first: its end is inserted before.
  const wrap = (node: ts.Node, before: string, after: string) => {
    inserts.push({ at: node.getStart(), text: before });
    inserts.unshift({ at: node.getEnd(), text: after });
  };
  for (const { name, node } of points) {
    const side = (which: string) => `globalThis.crashPoint.${which}(${JSON.stringify(name)}`;
    if (ts.isAwaitExpression(node)) {
      wrap(node, `${side('answered')}, `, ')');
      wrap(node.expression, `${side('asked')}, `, ')');
    } else {
      wrap(node.expression, `${side('asked')}, `, ')');
      wrap(node.statement, `{ ${side('answered')}); `, ' }');
    }
  }
  let result = '';
  let done = 0;
  for (const insert of inserts.toSorted((left, right) => left.at - right.at)) {
    result += text.slice(done, insert.at) + insert.text;
    done = insert.at;
  }
  return result + text.slice(done);
}
