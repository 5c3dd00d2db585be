import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidTopology, loadTopology } from './topology.js';

const contexts = ['ordering', 'billing'];
let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nestbox-topology-'));
  file = join(folder, 'topology.yaml');
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(yaml: string, service = 'all') {
  writeFileSync(file, yaml);
  return loadTopology(file, contexts, service);
}

const split = `services:
  all: { contexts: [ordering, billing], entrypoints: [http], events: in-process }
  gateway: { contexts: [], entrypoints: [http, ws] }
  ordering: { contexts: [ordering], entrypoints: [nats] }
  billing: { contexts: [billing], entrypoints: [nats], instances: 2 }
`;

describe('loadTopology', () => {
  it('gives the asked service, with defaults', () => {
    expect(load(split, 'all')).toEqual({ service: 'all', contexts, entrypoints: ['http'], events: 'in-process', instances: 1 });
    expect(load(split, 'gateway')).toEqual({ service: 'gateway', contexts: [], entrypoints: ['http', 'ws'], events: 'nats', instances: 1 });
    expect(load(split, 'billing')).toMatchObject({ events: 'nats', instances: 2 });
    expect(load('services:\n  all: { contexts: [ordering, billing] }')).toMatchObject({ entrypoints: [] });
  });

  it('lets several services list every context, each a deployment of its own', () => {
    expect(load(`${split}  twin: { contexts: [billing, ordering], events: nats }\n`, 'twin').events).toBe('nats');
  });

  const cases: [name: string, yaml: string, line: number, what: string, cure: string][] = [
    ['an unknown context', 'services:\n  all:\n    contexts: [ordering, biling]', 3, 'unknown context "biling"', 'ordering, billing'],
    ['an unknown entry point', 'services:\n  all: { contexts: [ordering, billing],\n    entrypoints: [grpc] }', 3, 'unknown entry point "grpc"', 'http, ws, nats'],
    ['an unknown key of a service', 'services:\n  all:\n    contexts: [ordering, billing]\n    replicas: 2', 4, 'unknown key "replicas"', 'instances'],
    ['an unknown key at the top', 'version: 2\nservices: {}', 1, 'unknown key "version"', 'services'],
    ['a context that is in no service', 'services:\n  all: { contexts: [ordering, billing] }\n  ordering: { contexts: [ordering] }', 1, '"billing" is in no service', 'add "billing"'],
    ['two owners', `${split}  billing2: { contexts: [billing] }`, 6, 'two owners, "billing" (line 5) and "billing2"', 'instances'],
    ['contexts that are no list', 'services:\n  all: { contexts: ordering }', 2, 'contexts of "all" is not a list', '[a, b]'],
    ['a service without contexts', 'services:\n  all: { entrypoints: [http] }', 2, 'has no "contexts"', 'contexts: [...]'],
    ['a context listed twice', 'services:\n  all: { contexts: [ordering, ordering] }', 2, '"ordering" is there twice', 'remove'],
    ['a service that is no map', 'services:\n  all: [ordering]', 2, 'service "all" is not a map', 'contexts, entrypoints'],
    ['services that are no map', 'services: all', 1, '"services" is not a map', 'name: value'],
    ['no services', '# nothing here\n', 1, 'the file is not a map', 'services'],
    ['empty services', 'services: {}', 1, '"services" is empty', 'at least one'],
    ['a number of instances below 1', 'services:\n  all: { contexts: [ordering, billing], instances: 0 }', 2, 'instances of "all"', 'instances: 2'],
    ['a wrong kind of events', 'services:\n  all: { contexts: [ordering, billing], events: kafka }', 2, 'events of "all"', 'one of the two'],
    ['broken YAML', 'services:\n  all: { contexts: [ordering', 2, 'not valid YAML', 'syntax'],
    ['a service that is there twice', 'services:\n  all: { contexts: [ordering, billing] }\n  all: { contexts: [] }', 3, 'there twice', 'another name'],
    ['in-process events without every context', 'services:\n  a: { contexts: [ordering], events: in-process }\n  b: { contexts: [billing] }', 2, 'lacks billing', 'events: nats'],
  ];
  it.each(cases)('refuses %s', (_name, yaml, line, what, cure) => {
    expect(() => load(yaml)).toThrow(InvalidTopology);
    expect(() => load(yaml)).toThrow(`${file}:${line}: `);
    expect(() => load(yaml)).toThrow(what);
    expect(() => load(yaml)).toThrow(cure);
  });

  it('refuses an unknown service and lists those there are', () => {
    expect(() => load(split, 'shipping')).toThrow(/no service "shipping"[\s\S]*all, gateway, ordering, billing/);
  });

  it('refuses a file that cannot be read', () => {
    expect(() => loadTopology(join(folder, 'missing.yaml'), contexts, 'all')).toThrow(/missing\.yaml: cannot be read[\s\S]*TOPOLOGY_FILE/);
  });
});
