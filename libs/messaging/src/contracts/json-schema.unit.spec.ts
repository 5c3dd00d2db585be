import 'reflect-metadata';
import { Body, Controller, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ApiProperty, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { JsonSchema } from '@nestbox/kernel';
import { Type } from 'class-transformer';
import { IsInt, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { closed, schemaOf } from './json-schema.js';

class Inner {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 9, example: 3 })
  readonly count!: number;
}

class Base {
  @ApiProperty({ format: 'uuid' })
  readonly id!: string;
}

class Everything extends Base {
  @ApiProperty({ type: String, pattern: '^a', minLength: 1, maxLength: 5, description: 'A text.', required: false, default: 'a' })
  readonly text?: string;

  @ApiProperty({ enum: ['red', 'green'] })
  readonly colour!: string;

  @ApiProperty({ type: Boolean })
  readonly flag!: boolean;

  @ApiProperty({ type: Date })
  readonly at!: Date;

  @ApiProperty({ type: 'integer', nullable: true })
  readonly limit!: number | null;

  @ApiProperty({ type: () => Inner })
  readonly inner!: Inner;

  @ApiProperty({ type: () => Inner, isArray: true, minItems: 1, maxItems: 2 })
  readonly list!: Inner[];

  @ApiProperty({ type: [String] })
  readonly words!: string[];

  @ApiProperty({ enum: ['a', 'b'], isArray: true })
  readonly letters!: string[];
}

class NoDescription {
  @IsInt()
  readonly count!: number;
}

class Hole {
  @ApiProperty({ type: () => NoDescription })
  @ValidateNested()
  @Type(() => NoDescription)
  readonly inner!: NoDescription;
}

class Endless {
  @ApiProperty({ type: () => Endless })
  readonly inner!: unknown;
}

/** What OpenAPI 3.0 says in other words than JSON Schema, in the words of JSON Schema; nested classes in place. */
function fromOpenApi(schema: Record<string, unknown>, schemas: Record<string, Record<string, unknown>>): unknown {
  const { $ref, allOf, nullable, example, properties, items, ...rest } = schema;
  const reference = ($ref ?? (allOf as { $ref: string }[] | undefined)?.[0]!.$ref) as string | undefined;
  const name = reference?.split('/').at(-1);
  const inner = name === undefined ? {} : { title: name, ...(fromOpenApi(schemas[name]!, schemas) as object) };
  return {
    ...rest,
    ...inner,
    ...(nullable === true && { type: [rest['type'], 'null'] }),
    ...(example !== undefined && { examples: [example] }),
    ...(properties !== undefined && { properties: Object.fromEntries(Object.entries(properties as Record<string, Record<string, unknown>>).map(([key, field]) => [key, fromOpenApi(field, schemas)])) }),
    ...(items !== undefined && { items: fromOpenApi(items as Record<string, unknown>, schemas) }),
  };
}

describe('the schema of a class', () => {
  it('says what the OpenAPI document says about it', async () => {
    class Things {
      add(_thing: Everything) {}
    }
    Body()(Things.prototype, 'add', 0);
    Reflect.defineMetadata('design:paramtypes', [Everything], Things.prototype, 'add');
    Post()(Things.prototype, 'add', Object.getOwnPropertyDescriptor(Things.prototype, 'add')!);
    Controller('things')(Things);
    class App {}
    const app = await NestFactory.create({ module: App, controllers: [Things] }, new FastifyAdapter(), { logger: false });
    const schemas = SwaggerModule.createDocument(app, new DocumentBuilder().build()).components!.schemas as Record<string, Record<string, unknown>>;
    await app.close();
    expect(schemaOf(Everything)).toEqual({ title: 'Everything', ...(fromOpenApi(schemas['Everything']!, schemas) as JsonSchema) });
  });

  it('has no room for unknown fields when it is closed, however deep', () => {
    expect(closed(schemaOf(Everything))).toMatchObject({ additionalProperties: false, properties: { inner: { additionalProperties: false }, list: { items: { additionalProperties: false } } } });
  });

  it.each([
    ['with rules but without descriptions', NoDescription, /NoDescription\.count has rules but no description/],
    ['whose fields are of a class without any', Hole, /It is not known of what type Hole\.inner is/],
    ['within itself', Endless, /Endless is a field of itself \(Endless → Endless\)/],
  ])('is refused for one %s', (_, type, message) => {
    expect(() => schemaOf(type)).toThrow(message);
  });
});
