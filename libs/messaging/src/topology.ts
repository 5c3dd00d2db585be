import { readFileSync } from 'node:fs';
import { LineCounter, isMap, isScalar, isSeq, parseDocument, type Node, type YAMLMap } from 'yaml';
import { UsageError } from '@nestbox/kernel';

const ENTRYPOINTS = ['http', 'ws', 'nats'] as const;
const EVENTS = ['in-process', 'nats'] as const;
const KEYS = ['contexts', 'entrypoints', 'events', 'instances'] as const;

export type Entrypoint = (typeof ENTRYPOINTS)[number];

/** What one process is: the part of the topology that it was started for. */
export interface ServiceTopology {
  readonly service: string;
  /** The contexts that this process owns. */
  readonly contexts: readonly string[];
  readonly entrypoints: readonly Entrypoint[];
  /** How its subscribers get events: from the log of the same process' contexts, or from JetStream. */
  readonly events: (typeof EVENTS)[number];
  /** How many processes of this service are meant to run. */
  readonly instances: number;
}

/** The topology file is wrong, or does not have what was asked for. */
export class InvalidTopology extends UsageError {
  constructor(file: string, line: number | undefined, what: string, cure: string) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${what}`, cure);
  }
}

/**
 * Reads the topology, checks all of it, and gives the part of one service.
 * @param file path of the YAML file
 * @param knownContexts every context of the application, wherever it runs
 * @param service which service this process is
 * @throws InvalidTopology with file, line and cure
 */
export function loadTopology(file: string, knownContexts: readonly string[], service: string): ServiceTopology {
  const services = readTopology(file, knownContexts);
  const found = services.find((candidate) => candidate.service === service);
  if (!found) {
    const names = services.map((candidate) => candidate.service).join(', ');
    throw new InvalidTopology(file, undefined, `there is no service "${service}".`, `set SERVICE to one of: ${names}; or add "${service}" under services.`);
  }
  return found;
}

/** Reads and checks all services of a topology file. */
export function readTopology(file: string, knownContexts: readonly string[]): readonly ServiceTopology[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidTopology(file, undefined, `cannot be read (${(error as Error).message}).`, 'set TOPOLOGY_FILE to a file with a "services:" map.');
  }
  return new TopologyReader(file, knownContexts).read(text);
}

class TopologyReader {
  private readonly lines = new LineCounter();

  constructor(
    private readonly file: string,
    private readonly knownContexts: readonly string[],
  ) {}

  read(text: string): ServiceTopology[] {
    const document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
    const broken = document.errors[0];
    if (broken) {
      const line = this.lines.linePos(broken.pos[0]).line;
      if (broken.code === 'DUPLICATE_KEY') throw new InvalidTopology(this.file, line, 'this name is there twice.', 'remove one of the two, or give it another name.');
      throw new InvalidTopology(this.file, line, `this is not valid YAML: ${broken.message}.`, 'correct the syntax.');
    }
    const root = this.map(document.contents, undefined, 'the file', ['services']);
    const services = root.get('services');
    if (!services) this.fail(document.contents, 'there is no "services".', 'add "services:" with at least one service below it.');
    const read: { topology: ServiceTopology; node: Node }[] = [];
    for (const [name, entry] of this.map(services.value, services.key, '"services"')) {
      read.push({ topology: this.service(name, entry.value, entry.key), node: entry.key });
    }
    if (read.length === 0) this.fail(services.key, '"services" is empty.', 'add at least one service.');
    this.checkOwners(read, services.key);
    return read.map(({ topology }) => topology);
  }

  private service(service: string, node: Node | null, key: Node): ServiceTopology {
    const entries = this.map(node, key, `service "${service}"`, KEYS);
    const owned = entries.get('contexts');
    if (!owned) this.fail(key, `service "${service}" has no "contexts".`, 'add "contexts: [...]"; an empty list for a service that owns none.');
    const contexts = this.list(owned, `contexts of "${service}"`, this.knownContexts, 'context');
    const listed = entries.get('entrypoints');
    const entrypoints = listed ? this.list(listed, `entrypoints of "${service}"`, ENTRYPOINTS, 'entry point') : [];
    const events = this.events(service, entries.get('events'));
    if (events === 'in-process' && contexts.length < this.knownContexts.length) {
      const lacking = this.knownContexts.filter((context) => !contexts.includes(context)).join(', ');
      this.fail(entries.get('events')!.key, `service "${service}" has in-process events but lacks ${lacking}, whose events it could not get.`, 'use "events: nats", or list every context.');
    }
    return { service, contexts, entrypoints, events, instances: this.instances(service, entries.get('instances')) };
  }

  private events(service: string, entry: Entry | undefined): ServiceTopology['events'] {
    if (!entry) return 'nats';
    const value = isScalar(entry.value) ? entry.value.value : undefined;
    const found = EVENTS.find((known) => known === value);
    return found ?? this.fail(entry.key, `events of "${service}" is neither "in-process" nor "nats".`, 'write one of the two.');
  }

  private instances(service: string, entry: Entry | undefined): number {
    if (!entry) return 1;
    const value = isScalar(entry.value) ? entry.value.value : undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
    return this.fail(entry.key, `instances of "${service}" is not a whole number of 1 or more.`, 'write for example "instances: 2".');
  }

  /** Every context has exactly one owner; a service with all contexts is a deployment of its own. */
  private checkOwners(services: { topology: ServiceTopology; node: Node }[], servicesKey: Node): void {
    const parts = services.filter(({ topology }) => topology.contexts.length < this.knownContexts.length);
    if (parts.length === 0) return;
    for (const context of this.knownContexts) {
      const [owner, second] = parts.filter(({ topology }) => topology.contexts.includes(context));
      if (!owner) {
        this.fail(servicesKey, `context "${context}" is in no service, apart from those with every context.`, `add "${context}" to the contexts of one of: ${parts.map(({ topology }) => topology.service).join(', ')}.`);
      }
      if (second) {
        this.fail(second.node, `context "${context}" has two owners, "${owner.topology.service}" (line ${this.line(owner.node)}) and "${second.topology.service}".`, 'remove it from one of the two; more processes of one owner are "instances".');
      }
    }
  }

  private map(node: Node | null, key: Node | undefined, what: string, allowed?: readonly string[]): Map<string, Entry> {
    if (!isMap(node)) return this.fail(node ?? key, `${what} is not a map.`, `write "name: value" pairs${allowed ? ` (${allowed.join(', ')})` : ''}.`);
    const entries = new Map<string, Entry>();
    for (const pair of (node as YAMLMap<Node, Node | null>).items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      if (allowed && !allowed.includes(name)) this.fail(pair.key, `unknown key "${name}" in ${what}.`, `use one of: ${allowed.join(', ')}.`);
      entries.set(name, { key: pair.key, value: pair.value });
    }
    return entries;
  }

  private list<T extends string>(entry: Entry, what: string, known: readonly T[], kind: string): T[] {
    if (!isSeq(entry.value)) return this.fail(entry.key, `${what} is not a list.`, 'write it as [a, b].');
    const names: T[] = [];
    for (const item of entry.value.items as Node[]) {
      const written = isScalar(item) ? item.value : undefined;
      const name = known.find((candidate) => candidate === written);
      if (!name) this.fail(item, `unknown ${kind} "${String(written)}" in ${what}.`, `use: ${known.join(', ')}.`);
      if (names.includes(name)) this.fail(item, `"${name}" is there twice in ${what}.`, 'remove one of the two.');
      names.push(name);
    }
    return names;
  }

  private line(node: Node | null | undefined): number {
    return node?.range ? this.lines.linePos(node.range[0]).line : 1;
  }

  private fail(node: Node | null | undefined, what: string, cure: string): never {
    throw new InvalidTopology(this.file, this.line(node), what, cure);
  }
}

interface Entry {
  readonly key: Node;
  readonly value: Node | null;
}
