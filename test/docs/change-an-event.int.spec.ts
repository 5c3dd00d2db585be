import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Type } from '@nestjs/common';
import { DomainEvent, type DomainEventClass, type Upcaster } from '@nestbox/kernel';
import { catalogueOf, ContextModule, readEvent, type StoredEvent } from '@nestbox/messaging';
import { describe, expect, it } from 'vitest';
import { brokenPromises } from '../../scripts/contracts/broken-promises.ts';
import { type Contract, contractsOf } from '../../scripts/contracts/contract.ts';
import { projectRoot } from '../../scripts/project.ts';
import { IsMoney } from '../../src/domain/shared/event.fields.js';
import { IsCents, IsLeftOutOr, IsText } from '../../src/domain/shared/fields.js';
import type { Money } from '../../src/domain/shared/money.view.js';

const page = readFileSync(path.join(projectRoot, 'docs/how-to/change-an-event.md'), 'utf8');
const here = readFileSync(fileURLToPath(import.meta.url), 'utf8');
const unindented = (code: string) => code.split('\n').map((line) => line.trim()).filter(Boolean).join('\n');
const blocks = (language: string) => [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code!);

class Before extends DomainEvent {
  static readonly type = 'shop.order-paid';

  @IsCents({ description: 'What was paid.' })
  readonly cents!: number;
}

class WithNote extends DomainEvent {
  static readonly type = 'shop.order-paid';

  @IsCents({ description: 'What was paid.' })
  readonly cents!: number;

  @IsLeftOutOr(IsText(200, { required: false, description: 'What the customer wants us to know.' }))
  readonly note?: string;
}

class Unversioned extends DomainEvent {
  static readonly type = 'shop.order-paid';

  @IsMoney('What was paid.')
  readonly total!: Money;
}

class After extends DomainEvent {
  static readonly type = 'shop.order-paid';
  static readonly schemaVersion = 2;
  static readonly upcasters: Readonly<Record<number, Upcaster>> = {
    1: ({ cents, ...rest }) => ({ ...rest, total: { amount: cents, currency: 'USD' } }),
  };

  @IsMoney('What was paid.')
  readonly total!: Money;
}

function contractOf(event: DomainEventClass): Contract {
  class ShopModule {}
  ContextModule({ name: 'shop', publishes: [event] })(ShopModule);
  return contractsOf(catalogueOf([ShopModule as Type]))[0]!;
}

const stored: StoredEvent = {
  n: 1, prev: 0, lane: 0, id: 'e-1', tenantId: 'default', aggregateType: 'shop.order', aggregateId: 'o-1', aggregateVersion: 1, type: 'shop.order-paid', schemaVersion: 1,
  payload: { cents: 500 }, headers: { correlationId: 'c' }, createdAt: '2026-03-01T12:00:00.000Z',
};

describe('the page about changing an event', () => {
  it.each(blocks('ts').map((code, index) => [index + 1, code] as const))('shows only what runs below: example %i', (_, code) => {
    expect(unindented(here)).toContain(unindented(code));
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const named = [...page.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('is right that a field that may be left out needs no version', () => {
    expect(brokenPromises(contractOf(Before), contractOf(WithNote))).toEqual([]);
  });

  it('is right that another shape needs one, and quotes what the check says', () => {
    const [message] = brokenPromises(contractOf(Before), contractOf(Unversioned));
    expect(blocks('text')).toHaveLength(1);
    expect(message).toContain(blocks('text')[0]!.trim());
    expect(brokenPromises(contractOf(Before), contractOf(After))).toEqual([]);
  });

  it('reads the version before by its upcaster', () => {
    expect(readEvent(After, stored)).toEqual(Object.assign(new After(), { total: { amount: 500, currency: 'USD' } }));
  });
});
