import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import { answering } from './health-server.ts';
import { argumentsIn } from './image.ts';

const source = readFileSync(path.join(projectRoot, 'Dockerfile'), 'utf8');
const dockerfile = DockerfileParser.parse(source);
const stages = dockerfile.getFROMs();
const last = stages.at(-1)!;
const inLast = dockerfile.getInstructions().filter((instruction) => instruction.getRange().start.line > last.getRange().start.line);
const argumentsOf = (keyword: string) => inLast.filter((instruction) => instruction.getKeyword() === keyword).map(argumentsIn);

test('it has no mistake that a builder would refuse, and the check would notice one', () => {
  expect(validate(source).map(({ message }) => message)).toEqual([]);
  expect(validate('FROM node:24\nCOPPY a b\n')).toHaveLength(1);
});

test('the image has Node of the version that package.json installs, on slim', () => {
  const { devDependencies } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> };
  const external = stages.filter((stage) => !stages.some((other) => other.getBuildStage() === stage.getImage()));
  expect(new Set(external.map((stage) => stage.getImage()))).toEqual(new Set(['node:${NODE_VERSION}-slim']));
  expect(dockerfile.getARGs().map((arg) => arg.getArgumentsContent())).toEqual([`NODE_VERSION=${devDependencies['node']}`]);
});

test('the last stage takes production dependencies and built files, runs as nobody special, and starts the application', () => {
  expect(stages.length).toBeGreaterThan(1);
  expect(argumentsOf('COPY')).toEqual(['--from=production /app ./']);
  expect(argumentsOf('RUN')).toEqual([]);
  expect(argumentsOf('USER')).toEqual(['node']);
  expect(argumentsOf('CMD')).toEqual(['["node", "dist/main.js"]']);
  expect(source).toMatch(/npm ci --omit=dev/);
});

test('every library is in it', () => {
  for (const name of readdirSync(path.join(projectRoot, 'libs'))) {
    expect(source).toContain(`COPY libs/${name}/package.json libs/${name}/`);
  }
  const { references } = JSON.parse(readFileSync(path.join(projectRoot, 'tsconfig.build.json'), 'utf8')) as { references: { path: string }[] };
  for (const { path: library } of references) expect(source).toContain(`COPY --from=build /app/${library}/dist ${library}/dist`);
});

test('its health check tells alive from dead', async () => {
  const [healthcheck] = argumentsOf('HEALTHCHECK');
  const [program, ...args] = JSON.parse(/\[.*\]/s.exec(healthcheck!)![0]) as string[];
  for (const [status, code] of [[200, 0], [503, 1]] as const) {
    await using server = await answering('/health/live', status);
    const env = { PATH: process.env['PATH'], PORT: String(server.port) };
    expect(spawnSync(program!, args, { env }).status).toBe(code);
  }
});
