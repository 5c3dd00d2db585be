import 'reflect-metadata';
import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import { Allow, IsOptional } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { InvalidRequest } from './problem.js';
import { validationPipe } from './validation.js';

class Note {
  @Allow()
  @IsOptional()
  readonly content?: unknown;
}

const body: ArgumentMetadata = { type: 'body', metatype: Note };

async function refusalOf(value: unknown, metadata = body): Promise<InvalidRequest> {
  const refusal: unknown = await validationPipe().transform(value, metadata).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(InvalidRequest);
  return refusal as InvalidRequest;
}

describe('a request is refused', () => {
  it.each([
    ['lists', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
  ])('when it has 10,000 levels of %s, which would end with the stack', async (_what, json) => {
    const { errors } = await refusalOf({ content: JSON.parse(json) as unknown });
    expect(errors).toEqual([{ pointer: '/content', detail: 'nothing may be nested in more than 64 levels' }]);
    // A Nest pipe without this care:
    await expect(new ValidationPipe({ transform: true }).transform({ content: JSON.parse(json) as unknown }, body)).rejects.toThrow(RangeError);
  });

  it('not when it has 63', async () => {
    const content = JSON.parse('['.repeat(63) + ']'.repeat(63)) as unknown;
    expect(await validationPipe().transform({ content }, body)).toEqual({ content });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])('with the field %s, which would be left out in silence', async (name) => {
    expect((await refusalOf(JSON.parse(`{"${name}":1}`))).errors).toEqual([{ pointer: `/${name}`, detail: `property ${name} should not exist` }]);
    expect((await refusalOf(JSON.parse(`{"content":[{"${name}":1}]}`))).errors).toMatchObject([{ pointer: `/content/0/${name}` }]);
    expect((await refusalOf(Object.assign(Object.create(null) as object, JSON.parse(`{"${name}":"1"}`)), { type: 'query', metatype: Note })).errors).toMatchObject([{ pointer: `/${name}` }]);
  });

  it('with the first hundred of the rules that it breaks', async () => {
    const { errors } = await refusalOf(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, 1])));
    expect([errors.length, errors[0]?.pointer]).toEqual([100, '/f0']);
  });

  it('with null for a body, which would pass for an object without fields', async () => {
    expect((await refusalOf(null)).errors).toEqual([{ pointer: '', detail: 'the body must not be null' }]);
    expect(await validationPipe().transform({}, body)).toEqual({});
  });
});
