import 'reflect-metadata';
import { Exclude, Expose, Transform, type TransformFnParams, Type } from 'class-transformer';
import { Allow, IsArray, IsDefined, IsInt, IsOptional, IsString, Matches, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { accept } from './acceptance.js';
import { validationPipe } from './validation.js';

class Line {
  @IsString()
  readonly product!: string;

  @IsInt()
  readonly quantity!: number;
}

class Base {
  @Matches(/^[a-z]+$/)
  readonly id!: string;
}

class Order extends Base {
  @ValidateIf((_, value) => value !== undefined)
  @IsString()
  readonly note?: string;

  @Transform(({ value }: TransformFnParams) => (typeof value === 'string' ? value.toLowerCase() : (value as unknown)))
  @IsOptional()
  @IsString()
  readonly code?: string;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Line)
  readonly lines!: Line[];

  @ValidateIf((_, value) => value !== undefined)
  @ValidateNested()
  @Type(() => Line)
  readonly gift?: Line;

  @Allow()
  readonly anything?: unknown;
}

const line = { product: 'tea', quantity: 1 };
const good = { id: 'a', code: 'ABC', lines: [line, line], gift: line, anything: 7 };

describe('a request that is as it should be', () => {
  it('is made into objects of its classes', async () => {
    const accepted = accept(Order, good);
    expect(accepted).toStrictEqual(await validationPipe().transform(good, { type: 'body', metatype: Order }));
    expect(accepted).toBeInstanceOf(Order);
    expect((accepted as Order).lines[0]).toBeInstanceOf(Line);
    expect(accepted).toMatchObject({ code: 'abc' });
  });

  it('may come from a URL, as objects without a prototype', () => {
    expect(accept(Line, Object.assign(Object.create(null) as object, line))).toStrictEqual(Object.assign(new Line(), line));
  });

  it('may leave out what need not be there', () => {
    expect(accept(Order, { id: 'a', lines: [] })).toStrictEqual(Object.assign(new Order(), { id: 'a', lines: [] }));
  });
});

describe('somebody has to look closer', () => {
  it.each([
    ['a rule that is broken', { ...good, id: 'A' }],
    ['a rule that is broken in a list', { ...good, lines: [line, { ...line, quantity: 'many' }] }],
    ['a rule that is broken in an object', { ...good, gift: {} }],
    ['an unknown field', { ...good, coupon: 1 }],
    ['an unknown field in a list', { ...good, lines: [{ ...line, coupon: 1 }] }],
    ['something else in a list of objects', { ...good, lines: [line, null] }],
    ['a list in a list of objects', { ...good, lines: [[line]] }],
    ['something else for an object', { ...good, gift: 'tea' }],
    ['an object where no class is declared', { ...good, anything: {} }],
    ['a name that every object has', JSON.parse('{"id":"a","lines":[],"constructor":1}')],
    ['the prototype of a request', JSON.parse('{"id":"a","lines":[],"__proto__":{}}')],
    ['a list', [good]],
    ['a text', 'a'],
    ['null', null],
    ['nothing', undefined],
    ['an object of a class', Object.assign(new Order(), good)],
    ['a time', new Date()],
  ])('at %s', (_what, given) => {
    expect(accept(Order, given)).toBeUndefined();
  });

  class Nothing {}
  class Later {
    @ValidateBy({ name: 'later', async: true, validator: { validate: async () => true } })
    readonly id!: string;
  }
  class Promised {
    @ValidateBy({ name: 'promised', validator: { validate: () => Promise.resolve(false) } })
    readonly id!: string;
  }
  class Grouped {
    @IsString({ groups: ['some'] })
    readonly id!: string;
  }
  class Defined {
    @IsDefined()
    readonly id!: string;
  }
  class Renamed {
    @Expose({ name: 'name' })
    @IsString()
    readonly id!: string;
  }
  @Exclude()
  class Hidden {
    @IsString()
    readonly id!: string;
  }
  class Computed {
    @IsString()
    get id(): string {
      return 'always';
    }
  }
  class Preset {
    @IsString()
    readonly id: string = 'preset';
  }
  class Every {
    @IsString({ each: true })
    readonly id!: string;
  }
  class Untyped {
    @ValidateNested()
    readonly id!: unknown;
  }
  class Chosen {
    @Type((help) => (help?.object['id'] ? Line : Base))
    @ValidateNested()
    readonly id!: object;
  }
  class Tree {
    @ValidateIf((_, value) => value !== undefined)
    @ValidateNested()
    @Type(() => Tree)
    readonly id?: Tree;
  }
  it.each([Nothing, Later, Promised, Grouped, Defined, Renamed, Hidden, Computed, Preset, Every, Untyped, Chosen, Tree, String, Object, undefined, Symbol, () => 1])('at anything for %s, which asks for more than is known here', (type) => {
    for (const id of ['a', {}, []]) expect(accept(type, { id })).toBeUndefined();
  });
});
