import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { ApiProperty } from '@nestjs/swagger';
import { catalogueOf, ContextModule } from '@nestbox/messaging';
import { DomainEvent, type Upcaster } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { brokenPromises } from './broken-promises.ts';
import { type Contract, contractsOf } from './contract.ts';

type Fields = Readonly<Record<string, Parameters<typeof ApiProperty>[0]>>;

/** Gives a class its fields, as decorators would. */
function withFields<T extends Type>(type: T, fields: Fields): T {
  for (const [name, options] of Object.entries(fields)) ApiProperty(options)(type.prototype as object, name);
  return type;
}

const upcaster: Upcaster = (payload) => ({ ...payload });

/** A context whose event has these fields. */
function publishing(fields: Fields, schemaVersion = 1): Contract {
  class Lit extends DomainEvent {
    static readonly type = 'lamp.lit';
    static readonly schemaVersion = schemaVersion;
    static readonly upcasters = Object.fromEntries(Array.from({ length: schemaVersion - 1 }, (_, index) => [index + 1, upcaster]));
  }
  class LampModule {}
  ContextModule({ name: 'lamp', publishes: [withFields(Lit, fields)] })(LampModule);
  return contractsOf(catalogueOf([LampModule]))[0]!;
}

/** A context whose command takes these fields and gives back those. */
function answering(fields: Fields, reply?: Fields): Contract {
  class LampView {}
  class Light extends Command<LampView> {
    static readonly type = 'lamp.light';
    static readonly reply = reply && withFields(LampView, reply);
  }
  class LightHandler {}
  CommandHandler(withFields(Light, fields))(LightHandler);
  class LampModule {}
  ContextModule({ name: 'lamp', commands: [LightHandler] })(LampModule);
  return contractsOf(catalogueOf([LampModule]))[0]!;
}

class Inner {
  @ApiProperty({ type: String })
  readonly a!: string;
}

class OtherInner {
  @ApiProperty({ type: 'integer' })
  readonly a!: number;
}

const lamp = { type: String, maxLength: 9 } as const;
const colour = { enum: ['red', 'green'] };
const nothing = { context: 'lamp', events: {}, requests: {} };

describe('a change of an event breaks its contract', () => {
  const cases: [what: string, before: Fields, after: Fields, sentence: RegExp][] = [
    ['a field is removed', { lamp, colour }, { lamp }, /"colour" is gone/],
    ['a field has another type', { lamp }, { lamp: { type: 'integer' } }, /"lamp" was string and is integer/],
    ['a field may be null', { lamp }, { lamp: { ...lamp, nullable: true } }, /"lamp" was string and is string or null/],
    ['a field has another format', { at: { type: String } }, { at: { type: String, format: 'date-time' } }, /"at" was of format none and is of date-time/],
    ['a required field is added', { lamp }, { lamp, colour }, /"colour" is required now/],
    ['a field becomes required', { lamp: { ...lamp, required: false } }, { lamp }, /"lamp" is required now/],
    ['a field may be left out', { lamp }, { lamp: { ...lamp, required: false } }, /"lamp" may be left out now/],
    ['stored values do not fit any more', { lamp }, { lamp: { ...lamp, maxLength: 8 } }, /"lamp" has a maxLength of 8 now, not 9/],
    ['a word is taken away', { colour }, { colour: { enum: ['red'] } }, /"colour" may not be "green" any more/],
    ['a field within an object changes', { inner: { type: () => Inner } }, { inner: { type: () => OtherInner } }, /"inner\.a" was string and is integer/],
    ['a field within a list changes', { list: { type: () => Inner, isArray: true } }, { list: { type: () => OtherInner, isArray: true } }, /"list\[\]\.a" was string and is integer/],
  ];

  it.each(cases)('when %s', (_, before, after, sentence) => {
    const [message, ...others] = brokenPromises(publishing(before), publishing(after));
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^The event lamp\.lit: .* Raise its schemaVersion to 2 and add an upcaster from 1/);
    expect(others).toEqual([]);
  });

  it.each(cases)('but not with a new schemaVersion, when %s', (_, before, after) => {
    expect(brokenPromises(publishing(before), publishing(after, 2))).toEqual([]);
  });

  it('when it goes away', () => {
    expect(brokenPromises(publishing({ lamp }), nothing)).toEqual([expect.stringMatching(/^The event lamp\.lit is gone.*docs\/contracts\/lamp\.json by hand/)]);
    expect(brokenPromises(publishing({ lamp }), undefined)).toHaveLength(1);
  });

  it('when its schemaVersion goes back', () => {
    expect(brokenPromises(publishing({ lamp }, 3), publishing({ lamp }, 2))).toEqual([expect.stringMatching(/went back from schemaVersion 3 to 2.*count on, to 4/)]);
  });
});

describe('a change of an event passes', () => {
  it.each<[string, Fields, Fields]>([
    ['nothing changes', { lamp }, { lamp }],
    ['a field is added that may be left out', { lamp }, { lamp, colour: { ...colour, required: false } }],
    ['a word is added', { colour }, { colour: { enum: ['red', 'green', 'blue'] } }],
    ['more is let through', { lamp }, { lamp: { ...lamp, maxLength: 10 } }],
    ['it is said in other words', { lamp }, { lamp: { ...lamp, description: 'Which lamp.', example: 'desk' } }],
  ])('when %s', (_, before, after) => {
    expect(brokenPromises(publishing(before), publishing(after))).toEqual([]);
  });

  it('when it is a new one', () => {
    expect(brokenPromises(nothing, publishing({ lamp }))).toEqual([]);
  });
});

describe('a change of a command breaks its contract', () => {
  it.each<[string, Fields, Fields, RegExp]>([
    ['it takes less of a field', { lamp }, { lamp: { ...lamp, maxLength: 8 } }, /"lamp" has a maxLength of 8 now, not 9/],
    ['a number has a least value', { n: { type: 'integer' } }, { n: { type: 'integer', minimum: 1 } }, /"n" has a minimum of 1 now, not none/],
    ['it takes fewer words', { colour }, { colour: { enum: ['red'] } }, /"colour" may not be "green" any more/],
    ['it takes words only', { colour: { type: String } }, { colour: { type: String, enum: ['red'] } }, /"colour" may only be one of a few words now/],
    ['a text has to look like something', { lamp }, { lamp: { ...lamp, pattern: '^a' } }, /"lamp" has to match \^a now/],
    ['null is refused', { lamp: { ...lamp, nullable: true } }, { lamp }, /"lamp" was string or null and is string/],
    ['it does not know a field any more', { lamp, colour }, { lamp }, /"colour" is gone/],
    ['it wants another field', { lamp }, { lamp, colour }, /"colour" is required now/],
  ])('when %s', (_, before, after, sentence) => {
    const [message, ...others] = brokenPromises(answering(before), answering(after));
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^The command lamp\.light: .* Give the changed command another name/);
    expect(others).toEqual([]);
  });

  it.each<[string, Fields, Fields, RegExp]>([
    ['a field goes', { lamp, colour }, { lamp }, /"colour" is gone/],
    ['a field may be null', { lamp }, { lamp: { ...lamp, nullable: true } }, /"lamp" was string and is string or null/],
    ['a field may be left out', { lamp }, { lamp: { ...lamp, required: false } }, /"lamp" may be left out now/],
  ])('when of its reply %s', (_, before, after, sentence) => {
    expect(brokenPromises(answering({}, before), answering({}, after))).toEqual([expect.stringMatching(new RegExp(`^The reply to lamp\\.light: ${sentence.source}`))]);
  });

  it('when it goes away, becomes a query, or does not say its reply any more', () => {
    const command = answering({ lamp }, { lamp });
    expect(brokenPromises(command, nothing)).toEqual([expect.stringMatching(/^The command lamp\.light is gone/)]);
    const query = { ...command, requests: { 'lamp.light': { ...command.requests['lamp.light']!, kind: 'query' as const } } };
    expect(brokenPromises(command, query)).toEqual([expect.stringMatching(/was a command and is a query/)]);
    expect(brokenPromises(command, answering({ lamp }))).toEqual([expect.stringMatching(/^The reply to lamp\.light: it is not said any more/)]);
  });
});

describe('a change of a command passes', () => {
  it.each<[string, Contract, Contract]>([
    ['it takes more of a field', answering({ lamp }), answering({ lamp: { type: String } })],
    ['it takes null', answering({ lamp }), answering({ lamp: { ...lamp, nullable: true } })],
    ['it takes more words', answering({ colour }), answering({ colour: { enum: ['red', 'green', 'blue'] } })],
    ['a field may be left out', answering({ lamp }), answering({ lamp: { ...lamp, required: false } })],
    ['it takes another field that may be left out', answering({ lamp }), answering({ lamp, colour: { ...colour, required: false } })],
    ['it gives back more', answering({}, { lamp }), answering({}, { lamp, colour })],
    ['it always gives back what it could leave out', answering({}, { lamp: { ...lamp, required: false } }), answering({}, { lamp })],
    ['it says what it gives back', answering({}), answering({}, { lamp })],
  ])('when %s', (_, before, after) => {
    expect(brokenPromises(before, after)).toEqual([]);
  });
});
