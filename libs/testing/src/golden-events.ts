import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DomainEvent, DomainEventClass } from '@nestbox/kernel';
import { readEvent, type StoredEvent } from '@nestbox/messaging';
import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';

/**
 * What is wrong with the golden events of some event classes: stored payloads, one for each version ever published, in
 * `<what-happened>.v<version>.json`. Every one has to be there, to be read into the present class by its upcasters, and
 * to keep the rules of the fields. Files of no such version are wrong, too.
 * @param folder where the golden events of these classes are, and nothing else
 * @returns a sentence for each problem, with what to do
 */
export async function goldenEventProblems(events: readonly DomainEventClass[], folder: string): Promise<string[]> {
  const expected = events.flatMap((event) => Array.from({ length: event.schemaVersion ?? 1 }, (_, index) => ({ event, version: index + 1, file: fileOf(event, index + 1) })));
  const found = new Set(readdirSync(folder));
  const unknown = [...found].filter((file) => !expected.some((golden) => golden.file === file));
  const problems = await Promise.all(expected.map(async ({ event, version, file }) => {
    if (!found.has(file)) return [`${file} is missing. Add a payload of ${event.name} as version ${version} stores it.`];
    return (await readingProblems(event, version, readFileSync(path.join(folder, file), 'utf8'))).map((problem) => `${file} ${problem}`);
  }));
  return [...problems.flat(), ...unknown.map((file) => `${file} is of no version of an event that is published here. Golden events stay as long as events of theirs may be stored: do not lower schemaVersion, and do not remove the class.`)];
}

/** `ordering.order-placed`, 1 → `order-placed.v1.json` */
function fileOf({ type }: DomainEventClass, version: number): string {
  return `${type.slice(type.indexOf('.') + 1)}.v${version}.json`;
}

async function readingProblems(type: DomainEventClass, version: number, text: string): Promise<string[]> {
  let event: DomainEvent;
  try {
    event = readEvent(type, stored(type, version, JSON.parse(text) as Record<string, unknown>));
  } catch (error) {
    return [`cannot be read into ${type.name}: ${(error as Error).message}`];
  }
  const fields = JSON.parse(JSON.stringify(event)) as object;
  const errors = await validate(plainToInstance(type as unknown as new () => DomainEvent, fields), { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  return errors.flatMap(sentences).map((sentence) => `is no valid ${type.name} once it is read: ${sentence}. Correct the upcasters or the rules of the fields, not the file: it stands for what is stored.`);
}

function sentences({ constraints = {}, children = [], property }: ValidationError): string[] {
  return [...Object.values(constraints), ...children.flatMap(sentences).map((sentence) => `${property}: ${sentence}`)];
}

function stored({ type }: DomainEventClass, schemaVersion: number, payload: Record<string, unknown>): StoredEvent {
  const aggregate = { aggregateType: type, aggregateId: 'golden', aggregateVersion: 1 };
  return { n: 1, prev: 0, lane: 0, id: 'golden', tenantId: 'default', ...aggregate, type, schemaVersion, payload, headers: { correlationId: 'golden' }, createdAt: '2026-01-01T00:00:00.000Z' };
}
