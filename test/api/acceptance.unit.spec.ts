import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { accept } from '../../libs/http/src/acceptance.ts';
import { EventsController } from '../../src/admin/events.controller.ts';
import { ReadersController } from '../../src/admin/readers.controller.ts';
import { TroubleController } from '../../src/admin/trouble.controller.ts';
import { controllers } from '../../src/api/controllers.ts';
import { OrderLineBody } from '../../src/domain/ordering/schemas/order.fields.ts';
import { randomOf } from '../chaos/random.ts';

type Class = new () => object;

const SEED = 20_260_301;
const REQUESTS = 1_500;
const WHITELIST = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true };

/** What some field or other may take, and what none may. */
const VALUES: readonly unknown[] = [
  'VINET', 'queso-cabrales', 'confirmed', 'USD', '50', '2026-03-01T12:00:00.000Z', '019ACF5E-7C00-7000-8000-000000000000', 'start', 'ordering',
  1, 0, 100, 1_400, true, false, -1, 1.5, 1_000_001, 2 ** 53, null, undefined, '', ' ', 'x'.repeat(300), '\u0000', '\ud800', 'VINET\n', '1e3', {}, [], [[]], ['VINET'], [3], { a: 1 },
];

/** The classes that parameters of the API are declared with. */
const classes = [...controllers, TroubleController, ReadersController, EventsController].flatMap(({ prototype }) =>
  Object.getOwnPropertyNames(prototype).flatMap((method) => (Reflect.getMetadata('design:paramtypes', prototype, method) ?? []) as Class[]),
);
const known = (type: Class) => getMetadataStorage().getTargetValidationMetadatas(type, type.name, false, false);
const requested = [...new Set(classes)].filter((type) => known(type).length > 0);
const fieldsOf = (type: Class) => [...new Set(known(type).map(({ propertyName }) => propertyName))];

/** What class-transformer and class-validator make of a request; undefined when they refuse it. */
async function judged(type: Class, given: unknown): Promise<object | undefined> {
  const entity = plainToInstance(type, given);
  return (await validate(entity, WHITELIST)).length === 0 ? entity : undefined;
}

describe('requests', () => {
  it.each(requested.map((type) => [type.name, type] as const))('for %s are accepted only as class-validator accepts them, and into the same object', async (_name, type) => {
    const random = randomOf(SEED);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const good = new Map<string, unknown[]>();
    const lines = (): unknown => Array.from({ length: Math.floor(random() * 4) }, () => objectOf(OrderLineBody));

    /** Most fields as they should be; some left out, some wrong, and now and then one that there is not. */
    function objectOf(of: Class): object {
      const fields = fieldsOf(of).filter(() => random() < 0.9).map((name) => [name, name === 'lines' && random() < 0.9 ? lines() : pick(random() < 0.93 ? (good.get(`${of.name}.${name}`) ?? VALUES) : VALUES)]);
      return Object.fromEntries([...fields, ...(random() < 0.03 ? [[pick(['coupon', 'constructor', 'toString', 'ID', '']), pick(VALUES)]] : [])]) as object;
    }

    for (const of of [type, OrderLineBody]) {
      for (const name of fieldsOf(of)) {
        const refused = await Promise.all(VALUES.map(async (value) => (await validate(plainToInstance(of, { [name]: value }), WHITELIST)).some(({ property }) => property === name)));
        good.set(`${of.name}.${name}`, VALUES.filter((_, index) => !refused[index]));
      }
    }
    let accepted = 0;
    for (let count = 0; count < REQUESTS; count++) {
      const given = objectOf(type);
      const asGiven = structuredClone(given);
      const object = accept(type, given);
      expect(given).toEqual(asGiven);
      if (!object) continue;
      accepted++;
      expect(object).toStrictEqual(await judged(type, given));
    }
    expect(accepted).toBeGreaterThan(REQUESTS / 20);
  });
});
