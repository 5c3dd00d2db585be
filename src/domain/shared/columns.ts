import type { EntitySchemaColumnOptions, ValueTransformer } from 'typeorm';

/** The column that says whose a row is: the first one of every primary key. */
export function tenantId(primaryKeyConstraintName: string): EntitySchemaColumnOptions {
  return { type: 'text', name: 'tenant_id', primary: true, primaryKeyConstraintName };
}

/**
 * A Postgres `bigint` as a number. The driver hands over text, because a bigint may be larger than a number can say
 * exactly; such a value is refused, never rounded.
 */
export const exactInteger: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | number | null) => (value === null ? null : toExactInteger(value)),
};

/** @throws RangeError when the value does not fit into a number exactly */
export function toExactInteger(value: string | number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`The stored value ${value} is not a whole number within ±${Number.MAX_SAFE_INTEGER}.`);
  return number;
}
