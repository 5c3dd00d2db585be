import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './project.ts';

const LIBRARIES = path.join(projectRoot, 'libs');
const STAMP = path.join(projectRoot, 'dist', '.sources');
const SHARED_INPUTS = ['package-lock.json', 'tsconfig.base.json', 'tsconfig.build.json'];

interface Project {
  readonly src: string;
  readonly dist: string;
  readonly config: string;
}

/**
 * Builds what has changed since the last successful build. When nothing has, it only looks at the file times, which
 * takes some milliseconds; `tsc -b` needs most of a second for the same answer.
 *
 * @returns false when the sources have errors; the compiler has printed them
 */
export function build(): boolean {
  const projects = listProjects();
  const state = fingerprint(projects);
  if (isBuilt(projects, state)) return true;
  console.log('Building …');
  removeOrphans(projects);
  rmSync(STAMP, { force: true });
  const compiler = path.join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [compiler, '-b', 'tsconfig.build.json'], { cwd: projectRoot, stdio: ['ignore', 'inherit', 'inherit'] });
  if (run.status !== 0) {
    console.error('The build failed: correct the errors above.');
    return false;
  }
  writeFileSync(STAMP, state);
  return true;
}

/** Removes compiled files whose source is gone; the compiler leaves them, and Node would go on loading them. */
export function removeOrphans(projects: readonly Project[] = listProjects()): void {
  for (const { src, dist } of projects) {
    for (const file of filesOf(dist)) {
      const source = file.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
      if (source !== file && !existsSync(path.join(src, source))) rmSync(path.join(dist, file));
    }
  }
}

function listProjects(): Project[] {
  const libraries = readdirSync(LIBRARIES).map((name) => path.join(LIBRARIES, name));
  return [
    { src: path.join(projectRoot, 'src'), dist: path.join(projectRoot, 'dist'), config: path.join(projectRoot, 'tsconfig.build.json') },
    ...libraries.map((folder) => ({ src: path.join(folder, 'src'), dist: path.join(folder, 'dist'), config: path.join(folder, 'tsconfig.json') })),
  ].filter(({ config }) => existsSync(config));
}

function isBuilt(projects: readonly Project[], state: string): boolean {
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== state) return false;
  // Libraries for tests alone are not part of the build; everything that was once built must still be there.
  return projects.every(({ dist, src }) => !referenced(src) || existsSync(path.join(dist, '.tsbuildinfo')));
}

function referenced(src: string): boolean {
  const name = path.relative(projectRoot, path.dirname(src)).replaceAll('\\', '/');
  return name === '' || readFileSync(path.join(projectRoot, 'tsconfig.build.json'), 'utf8').includes(`"${name}"`);
}

/** Changes with every added, removed or changed input, also when an older file takes the place of a newer one. */
function fingerprint(projects: readonly Project[]): string {
  const hash = createHash('sha256');
  const add = (file: string) => {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${path.relative(projectRoot, file)} ${mtimeMs} ${size}\n`);
  };
  for (const name of SHARED_INPUTS) if (existsSync(path.join(projectRoot, name))) add(path.join(projectRoot, name));
  for (const { src, config } of projects) {
    add(config);
    for (const file of filesOf(src)) if (!file.endsWith('.spec.ts')) add(path.join(src, file));
  }
  return hash.digest('hex');
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted();
}
