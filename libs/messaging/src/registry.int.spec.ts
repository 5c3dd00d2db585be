import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { Command, CommandHandler, EventsHandler } from '@nestjs/cqrs';
import { DomainEvent, type ErrorDefinition } from '@nestbox/kernel';
import { createTestDatabase, TestApplication, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContextDefinition, ContextModule } from './context-module.js';

class DoIt extends Command<void> {
  static readonly type = 'shop.do-it';
}

@CommandHandler(DoIt)
class DoItHandler {
  async execute() {}
}

@CommandHandler(DoIt)
class DoItAgainHandler {
  async execute() {}
}

class Unnamed extends Command<void> {}

@CommandHandler(Unnamed)
class UnnamedHandler {
  async execute() {}
}

class Sold extends DomainEvent {
  static readonly type = 'shop.sold';
}

class SoldToo extends DomainEvent {
  static readonly type = 'shop.sold';
}

class Shouted extends DomainEvent {
  static readonly type = 'shop.SoldOut';
}

class Foreign extends DomainEvent {
  static readonly type = 'other.happened';
}

class Jumped extends DomainEvent {
  static readonly type = 'shop.jumped';
  static readonly schemaVersion = 3;
  static readonly upcasters = { 1: (payload: object) => ({ ...payload }) };
}

@EventsHandler(Jumped)
class OnJumped {
  async handle() {}
}

class Idle extends DomainEvent {
  static readonly type = 'shop.idle';
  static readonly upcasters = { 1: (payload: object) => ({ ...payload }) };
}

class Halved extends DomainEvent {
  static readonly type = 'shop.halved';
  static readonly schemaVersion = 1.5;
}

@EventsHandler(SoldToo)
class OnSold {
  async handle() {}
}

class Undecorated {}

const soldOut: ErrorDefinition = { code: 'shop.sold-out', kind: 'conflict', title: 'Sold out', cause: 'Nothing is left.', cure: 'Come back tomorrow.' };

describe('what is declared wrongly stops the start and says where', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database?.drop());

  const start = async (definition: Partial<ContextDefinition>) => {
    class ShopModule {}
    ContextModule({ name: 'shop', ...definition })(ShopModule);
    const app = await TestApplication.start([ShopModule as Type], { database });
    await app.stop();
  };

  const cases: [string, Partial<ContextDefinition>, RegExp[]][] = [
    ['two handlers for one command', { commands: [DoItHandler, DoItAgainHandler] }, [/DoItHandler/, /DoItAgainHandler/, /shop\.do-it/, /exactly one handler/]],
    ['a command without a name', { commands: [UnnamedHandler] }, [/Unnamed has no name/, /static readonly type/]],
    ['a handler without its decorator', { commands: [Undecorated] }, [/Undecorated/, /@CommandHandler/]],
    ['two events with one name', { publishes: [Sold, SoldToo] }, [/shop\.sold/, /Sold, and SoldToo/, /another name/]],
    ['two events with one name, published and handled', { publishes: [Sold], subscribers: [OnSold] }, [/shop\.sold/, /handled by OnSold/]],
    ['an event name that breaks the rule', { publishes: [Shouted] }, [/Shouted/, /shop\.SoldOut/, /kebab-case/]],
    ["another context's event", { publishes: [Foreign] }, [/other\.happened/, /begin the name with "shop\."/]],
    ['a message of another context', { name: 'stall', commands: [DoItHandler] }, [/"stall" handles "shop\.do-it"/, /move the handler/]],
    ['a version without an upcaster', { publishes: [Jumped] }, [/Jumped: schemaVersion is 3, but there is no upcaster from 2/, /2: \(payload\) =>/]],
    ['a version without an upcaster, handled only', { subscribers: [OnJumped] }, [/Jumped: schemaVersion is 3/]],
    ['an upcaster from the present version', { publishes: [Idle] }, [/Idle has an upcaster from 1, but schemaVersion is 1/, /raise schemaVersion to 2/]],
    ['half a version', { publishes: [Halved] }, [/Halved has schemaVersion 1\.5/]],
    ['two errors with one code', { errors: [soldOut, { ...soldOut, title: 'Closed' }] }, [/"shop\.sold-out": "Sold out" and "Closed"/, /another code/]],
    ['an error code that breaks the rule', { errors: [{ ...soldOut, code: 'shop.SoldOut' }] }, [/"Sold out" has the code "shop\.SoldOut"/, /kebab case/]],
    ["another context's error", { name: 'stall', errors: [soldOut] }, [/"stall" lists the error "Sold out" with the code "shop\.sold-out"/, /begin the code with "stall\."/]],
    ['a subscriber without its decorator', { subscribers: [Undecorated] }, [/Undecorated/, /@EventsHandler/]],
  ];

  it.each(cases)('%s', async (_, definition, patterns) => {
    const error = await start(definition).then(
      () => undefined,
      (caught: Error) => caught,
    );
    for (const pattern of patterns) expect(error?.message).toMatch(pattern);
  });

  it('starts when all is well', async () => {
    await start({ commands: [DoItHandler], publishes: [Sold], errors: [soldOut] });
  });
});
