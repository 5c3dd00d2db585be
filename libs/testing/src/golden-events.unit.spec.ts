import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DomainEvent, type Upcaster } from '@nestbox/kernel';
import { Type } from 'class-transformer';
import { IsInt, IsString, ValidateNested } from 'class-validator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { goldenEventProblems } from './golden-events.js';

class Amount {
  @IsInt()
  readonly cents!: number;
}

class Paid extends DomainEvent {
  static readonly type = 'shop.paid';
  static readonly schemaVersion: number = 2;
  static readonly upcasters: Readonly<Record<number, Upcaster>> = { 1: ({ cents, ...rest }) => ({ ...rest, amount: { cents } }) };

  @IsString()
  readonly by!: string;

  @ValidateNested()
  @Type(() => Amount)
  readonly amount!: Amount;
}

describe('golden events', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nestbox-golden-'));
    write('paid.v1.json', { by: 'VINET', cents: 5 });
    write('paid.v2.json', { by: 'VINET', amount: { cents: 5 } });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, payload: unknown) => writeFileSync(path.join(folder, file), JSON.stringify(payload));
  const problems = (event: typeof Paid = Paid) => goldenEventProblems([event], folder);

  it('are fine when each is read into the present class', async () => {
    expect(await problems()).toEqual([]);
  });

  it('want one more for a new schemaVersion', async () => {
    class Later extends Paid {
      static override readonly schemaVersion = 3;
      static override readonly upcasters = { ...Paid.upcasters, 2: (payload: object) => ({ ...payload }) };
    }
    expect(await problems(Later)).toEqual(['paid.v3.json is missing. Add a payload of Later as version 3 stores it.']);
  });

  it('tell when an upcaster is missing, or fails', async () => {
    class Jumped extends Paid {
      static override readonly upcasters = {};
    }
    class Failing extends Paid {
      static override readonly upcasters = { 1: () => { throw new Error('no cents'); } };
    }
    expect(await problems(Jumped)).toEqual([expect.stringMatching(/^paid\.v1\.json cannot be read into Jumped: .*knows version 2/)]);
    expect(await problems(Failing)).toEqual([expect.stringMatching(/^paid\.v1\.json cannot be read into Failing: .*no cents/)]);
  });

  it('tell when what is read breaks the rules of a field, or has one that nobody knows', async () => {
    class Forgetful extends Paid {
      static override readonly upcasters: Readonly<Record<number, Upcaster>> = { 1: ({ cents, ...rest }) => ({ ...rest, cents, amount: { cents: String(cents) } }) };
    }
    expect(await problems(Forgetful)).toEqual([
      expect.stringMatching(/^paid\.v1\.json is no valid Forgetful once it is read: property cents should not exist/),
      expect.stringMatching(/^paid\.v1\.json is no valid Forgetful once it is read: amount: cents must be an integer number/),
    ]);
  });

  it('tell of one that no class reads any more', async () => {
    write('paid.v3.json', {});
    expect(await problems()).toEqual([expect.stringMatching(/^paid\.v3\.json is of no version/)]);
  });
});
