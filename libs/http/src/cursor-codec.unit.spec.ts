import { randomBytes } from 'node:crypto';
import { UsageError } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { CursorCodec, type CursorScope, InvalidCursor } from './cursor-codec.js';

const key = randomBytes(32);
const codec = new CursorCodec(key);
const scope: CursorScope = { operation: 'listThings', tenantId: 'north', filter: { colour: 'red', size: 2 } };
const cursor = codec.seal(scope, 'id-7');

function refusalOf(open: () => unknown): InvalidCursor {
  try {
    open();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidCursor);
    return error as InvalidCursor;
  }
  throw new Error('The cursor was taken.');
}

describe('a cursor', () => {
  it('gives its position back, in any process with the key, however often', () => {
    for (const position of ['id-7', '019acf5e-7c00-7000-8000-000000000000', 'ü😀 "', 'x'.repeat(64)]) {
      const sealed = codec.seal(scope, position);
      expect(sealed).toMatch(/^[A-Za-z0-9_-]{1,200}$/);
      for (let again = 0; again < 2; again++) expect(new CursorCodec(Buffer.from(key)).open(scope, sealed)).toBe(position);
    }
  });

  it('does not mind in which order the filters are, and which of them are left out', () => {
    expect(codec.open({ ...scope, filter: { size: 2, shape: undefined, colour: 'red' } }, cursor)).toBe('id-7');
  });

  it.each<[string, Partial<CursorScope>]>([
    ['another operation', { operation: 'listOthers' }],
    ['another tenant', { tenantId: 'south' }],
    ['another filter', { filter: { colour: 'blue', size: 2 } }],
    ['one filter more', { filter: { colour: 'red', size: 2, shape: 'round' } }],
    ['one filter less', { filter: { colour: 'red' } }],
    ['the filters in each other\'s place', { filter: { colour: '2', size: 'red' } }],
    ['a filter of another type', { filter: { colour: 'red', size: '2' } }],
    ['a tenant that ends as the operation begins', { operation: 'listThings","north', tenantId: '' }],
  ])('leads nowhere in %s', (_what, other) => {
    const refusal = refusalOf(() => codec.open({ ...scope, ...other }, cursor));
    expect([refusal.problem.status, refusal.problem.code, refusal.errors[0]?.pointer]).toEqual([400, 'http.invalid-cursor', '/cursor']);
    expect(refusal.message).toMatch(/belongs to another list.*Follow the link `next`.*leave the cursor out/);
  });

  it('leads nowhere when it was changed: in any bit, shorter, longer, in another spelling, or made up', () => {
    const bytes = Buffer.from(cursor, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      refusalOf(() => codec.open(scope, forged.toString('base64url')));
    }
    for (let length = 0; length < cursor.length; length++) refusalOf(() => codec.open(scope, cursor.slice(0, length)));
    for (const forged of [`${cursor}A`, `${cursor}=`, `${cursor.slice(0, 5)}.${cursor.slice(5)}`, ` ${cursor}`, '', 'A', Buffer.from('id-7').toString('base64url')]) refusalOf(() => codec.open(scope, forged));
    // Not all bits of the last letter are needed; the others must not be free.
    const last = codec.seal(scope, 'id-77');
    const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map((letter) => last.slice(0, -1) + letter);
    expect(spellings.filter((spelling) => { try { return codec.open(scope, spelling); } catch { return false; } })).toEqual([last]);
  });

  it('leads nowhere under another key, and says so when it has another format', () => {
    refusalOf(() => new CursorCodec(randomBytes(32)).open(scope, cursor));
    const bytes = Buffer.from(cursor, 'base64url');
    bytes[0] = 2;
    expect(refusalOf(() => codec.open(scope, bytes.toString('base64url'))).message).toMatch(/made by another version of this API/);
  });

  it('needs a key of 32 bytes', () => {
    for (const length of [0, 31, 33]) expect(() => new CursorCodec(Buffer.alloc(length))).toThrow(UsageError);
  });
});
