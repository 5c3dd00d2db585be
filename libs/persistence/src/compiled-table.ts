import type { DataSource, EntityMetadata, EntitySchema } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import { type Aggregate, currentTenant, UsageError } from '@nestbox/kernel';
import { AnotherTenant } from './errors.js';
import { nameOf, type RowKey } from './row-key.js';
import type { Statement } from './statement.js';
import { tenantColumnOf } from './tenant-rows.js';

/**
 * The SQL of one aggregate's table, compiled once from TypeORM's metadata. One aggregate is one row; the version
 * guards every update. Nothing is built per request. When the schema has a property `tenantId`, a row is found by its
 * tenant and its id, and never by its id alone.
 */
export class CompiledTable<A extends Aggregate> {
  /** Its parameters are {@link values}. */
  readonly insert: string;
  /** Its parameters are {@link values}, the version that is replaced, and a name for the row. Fails when no row has the version. */
  readonly update: string;
  readonly primaryKeyConstraint: string;
  private readonly select: string;
  private readonly selectOne: string;
  private readonly selectLocked: string;
  private readonly columns: ColumnMetadata[];
  private readonly readers: readonly ((aggregate: A) => unknown)[];
  private readonly id: ColumnMetadata;
  private readonly tenant: ColumnMetadata | undefined;
  private readonly versionIndex: number;

  constructor(private readonly dataSource: DataSource, schema: EntitySchema<A>) {
    const metadata = dataSource.getMetadata(schema);
    this.columns = metadata.columns;
    this.readers = this.columns.map((column) => readerOf(dataSource.driver, column));
    const names = this.columns.map(quoted);
    this.tenant = tenantColumnOf(metadata);
    this.id = idColumnOf(metadata, this.tenant);
    const version = this.columns.findIndex((column) => column.propertyName === 'version');
    if (version < 0) {
      throw new UsageError(`The entity schema "${metadata.name}" has no column "version".`, "add `version: { type: 'int' }` to its columns; it guards the aggregate against lost updates.");
    }
    this.versionIndex = version;
    const table = metadata.tablePath.split('.').map((part) => `"${part}"`).join('.');
    this.primaryKeyConstraint = this.id.primaryKeyConstraintName ?? `${metadata.tableName}_pkey`;
    this.insert = `insert into ${table} (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})`;

    const key = this.tenant ? [this.tenant, this.id] : [this.id];
    const equals = (column: ColumnMetadata) => `${quoted(column)} = $${this.columns.indexOf(column) + 1}`;
    const assignments = this.columns.filter((column) => !key.includes(column)).map(equals);
    const update = `update ${table} set ${assignments.join(', ')} where ${key.map(equals).join(' and ')} and ${quoted(this.columns[version]!)} = $${names.length + 1} returning 1`;
    this.update = `with w as (${update}) select nb.expect((select count(*) from w), 1, $${names.length + 2})`;

    const rows = (condition: string) => `select ${names.join(', ')} from ${table} where ${condition} order by ${quoted(this.id)}`;
    const idName = quoted(this.id);
    this.select = this.tenant ? rows(`${quoted(this.tenant)} = $1 and ${idName} = any($2)`) : rows(`${idName} = any($1)`);
    this.selectOne = `select ${names.join(', ')} from ${table} where ${key.map((column, index) => `${quoted(column)} = $${index + 1}`).join(' and ')}`;
    this.selectLocked = this.tenant
      ? `select ${names.map((name) => `t.${name}`).join(', ')} from unnest($1::${this.typeOf(this.tenant)}[], $2::${this.typeOf(this.id)}[]) as k (tenant, id)
         join ${table} t on t.${quoted(this.tenant)} = k.tenant and t.${idName} = k.id order by t.${quoted(this.tenant)}, t.${idName} for no key update of t`
      : `${this.select} for no key update`;
  }

  /** The key of what has this id among what the current tenant has. */
  keyOf(id: string): RowKey {
    return { tenantId: this.tenant ? currentTenant() : '', id };
  }

  /**
   * Makes an aggregate the current tenant's.
   * @throws AnotherTenant
   */
  claim(aggregate: A): void {
    if (!this.tenant) return;
    AnotherTenant.refuse(aggregate, 'it was added');
    this.tenant.setEntityValue(aggregate, currentTenant());
  }

  /** Loads rows of the current tenant, in id order. */
  selectByIds(ids: readonly string[]): Statement {
    const [id, ...more] = ids;
    const [text, wanted] = more.length === 0 ? [this.selectOne, id] : [this.select, ids];
    return { text, values: this.tenant ? [currentTenant(), wanted] : [wanted] };
  }

  /** Loads rows of any tenants in key order, each once, and keeps other writers out until the end of the transaction. */
  selectAndLock(keys: readonly RowKey[]): Statement {
    const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const ids = distinct.map(({ id }) => id);
    return { text: this.selectLocked, values: this.tenant ? [distinct.map(({ tenantId }) => tenantId), ids] : [ids] };
  }

  /** The key of a row that was loaded. */
  keyOfRow(row: Record<string, unknown>): RowKey {
    return { tenantId: this.tenant ? String(row[this.tenant.databaseName]) : '', id: String(row[this.id.databaseName]) };
  }

  /** What is stored of an aggregate, in column order. */
  values(aggregate: A): unknown[] {
    return this.readers.map((read) => read(aggregate));
  }

  /** True when two sets of parameters say the same apart from the version. */
  sameState(left: readonly unknown[], right: readonly unknown[]): boolean {
    return left.every((value, index) => index === this.versionIndex || equal(value, right[index]));
  }

  /** The aggregate of a row, without running its constructor. */
  hydrate(row: Record<string, unknown>, target: object): A {
    const aggregate = Object.assign(Object.create(target) as A, { tenantId: '' });
    for (const column of this.columns) {
      column.setEntityValue(aggregate, this.dataSource.driver.prepareHydratedValue(row[column.databaseName], column));
    }
    return aggregate;
  }

  /** `values` with the version replaced, for a change that raised no event. */
  withVersion(values: unknown[], version: number): unknown[] {
    return values.with(this.versionIndex, version);
  }

  private typeOf(column: ColumnMetadata): string {
    return this.dataSource.driver.normalizeType(column);
  }
}

/** Types of columns whose values TypeORM hands to the driver as they are. */
const AS_THEY_ARE = new Set<unknown>(['text', 'varchar', 'character varying', 'uuid', 'int', 'integer', 'int4', 'smallint', 'int2', 'bigint', 'int8', 'numeric', 'boolean', 'bool']);
const JSON_TYPES = new Set<unknown>(['json', 'jsonb']);

/** How an aggregate's property becomes a parameter: what TypeORM decides for every value is decided once, where that is simple. */
function readerOf(driver: DataSource['driver'], column: ColumnMetadata): (aggregate: object) => unknown {
  const { propertyName, type, embeddedMetadata, relationMetadata, referencedColumn, transformer } = column;
  const read = (aggregate: object) => (aggregate as Record<string, unknown>)[propertyName];
  const simple = !embeddedMetadata && !relationMetadata && !referencedColumn && !transformer;
  if (simple && AS_THEY_ARE.has(type)) return read;
  if (simple && JSON_TYPES.has(type)) {
    return (aggregate) => {
      const value = read(aggregate);
      return value === null || value === undefined ? value : JSON.stringify(value);
    };
  }
  return (aggregate) => driver.preparePersistentValue(column.getEntityValue(aggregate), column);
}

function quoted(column: ColumnMetadata): string {
  return `"${column.databaseName}"`;
}

function idColumnOf({ name, primaryColumns }: EntityMetadata, tenant: ColumnMetadata | undefined): ColumnMetadata {
  const [id, ...more] = primaryColumns.filter((column) => column !== tenant);
  if (!id || more.length > 0 || id.propertyName !== 'id') {
    throw new UsageError(
      `The primary key of the entity schema "${name}" is not its column "id", alone or together with "tenantId".`,
      'give the aggregate one `id` column marked `primary: true`, and one `tenantId` column marked so when it belongs to a tenant.',
    );
  }
  if (tenant && !tenant.isPrimary) {
    throw new UsageError(
      `The column "tenantId" of the entity schema "${name}" is not part of its primary key, so two tenants could not use the same id.`,
      'mark it `primary: true`, and make the primary key of the table begin with it.',
    );
  }
  return id;
}

function equal(left: unknown, right: unknown): boolean {
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime();
  return (left ?? null) === (right ?? null);
}
