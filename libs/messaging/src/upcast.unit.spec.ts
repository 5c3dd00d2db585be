import { DomainEvent, type Upcaster } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { upcast } from './upcast.js';

class Renamed extends DomainEvent {
  static readonly type: string = 'test.renamed';
  static readonly schemaVersion: number = 3;
  static readonly upcasters: Readonly<Record<number, Upcaster>> = {
    1: ({ a, ...rest }) => ({ ...rest, b: a }),
    2: ({ b, ...rest }) => ({ ...rest, c: b }),
  };
}

/** An event class with upcasters that do what they should not. */
function withUpcaster(upcaster: unknown) {
  return class extends Renamed {
    static override readonly schemaVersion = 2;
    static override readonly upcasters = { 1: upcaster as Upcaster };
  };
}

describe('a stored payload', () => {
  it.each([
    [1, { a: 7, kept: true }],
    [2, { b: 7, kept: true }],
    [3, { c: 7, kept: true }],
  ])('of version %i becomes one of the present version, step by step', (version, payload) => {
    expect(upcast(Renamed, payload, version)).toEqual({ c: 7, kept: true });
  });

  it('stays as it was stored, even if an upcaster is not pure', () => {
    const payload = { list: [1] };
    const impure = withUpcaster((given: { list: number[] }) => Object.assign(given, { added: given.list.push(2) }));
    for (let handler = 0; handler < 2; handler++) expect(upcast(impure, payload, 1)).toEqual({ list: [1, 2], added: 2 });
    expect(payload).toEqual({ list: [1] });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['a text', 'text'],
  ])('is in vain when an upcaster gives back %s', (_, result) => {
    expect(() => upcast(withUpcaster(() => result), {}, 1)).toThrow(/upcaster of .* for version 1 gave back no object/);
  });
});
