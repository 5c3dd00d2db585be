import type { DataSource, EntityMetadata, EntitySchema } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import { type Aggregate, UsageError } from '@nestbox/kernel';

/**
 * The SQL of one aggregate's table, compiled once from TypeORM's metadata. One aggregate is one row; the version
 * guards every update. Nothing is built per request.
 */
export class CompiledTable<A extends Aggregate> {
  readonly insert: string;
  readonly update: string;
  readonly primaryKeyConstraint: string;
  /** Name of the id's column. */
  readonly idColumn: string;
  private readonly select: string;
  private readonly columns: ColumnMetadata[];
  private readonly versionIndex: number;

  constructor(private readonly dataSource: DataSource, schema: EntitySchema<A>) {
    const metadata = dataSource.getMetadata(schema);
    this.columns = metadata.columns;
    const names = this.columns.map((column) => `"${column.databaseName}"`);
    const id = soleIdColumn(metadata);
    const version = this.columns.findIndex((column) => column.propertyName === 'version');
    if (version < 0) {
      throw new UsageError(`The entity schema "${metadata.name}" has no column "version".`, "add `version: { type: 'int' }` to its columns; it guards the aggregate against lost updates.");
    }
    this.versionIndex = version;
    const table = metadata.tablePath.split('.').map((part) => `"${part}"`).join('.');
    this.idColumn = id.databaseName;
    const idName = `"${id.databaseName}"`;
    const idParameter = this.columns.indexOf(id) + 1;
    this.primaryKeyConstraint = id.primaryKeyConstraintName ?? `${metadata.tableName}_pkey`;
    this.insert = `insert into ${table} (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')}) returning 1`;
    const assignments = names.map((name, index) => `${name} = $${index + 1}`).filter((_, index) => this.columns[index] !== id);
    this.update = `update ${table} set ${assignments.join(', ')} where ${idName} = $${idParameter} and "${this.columns[version]!.databaseName}" = $${names.length + 1} returning 1`;
    this.select = `select ${names.join(', ')} from ${table} where ${idName} = any($1) order by ${idName}`;
  }

  /** SQL that loads rows by their ids (`$1`, an array), in id order; `locked` keeps other writers out until the end of the transaction. */
  selectByIds(locked: boolean): string {
    return locked ? `${this.select} for no key update` : this.select;
  }

  /** Parameters of `insert`, in column order. */
  values(aggregate: A): unknown[] {
    return this.columns.map((column) => this.dataSource.driver.preparePersistentValue(column.getEntityValue(aggregate), column));
  }

  /** True when two sets of parameters say the same apart from the version. */
  sameState(left: readonly unknown[], right: readonly unknown[]): boolean {
    return left.every((value, index) => index === this.versionIndex || equal(value, right[index]));
  }

  /** The aggregate of a row, without running its constructor. */
  hydrate(row: Record<string, unknown>, target: object): A {
    const aggregate = Object.create(target) as A;
    for (const column of this.columns) {
      column.setEntityValue(aggregate, this.dataSource.driver.prepareHydratedValue(row[column.databaseName], column));
    }
    return aggregate;
  }

  /** `values` with the version replaced, for a change that raised no event. */
  withVersion(values: unknown[], version: number): unknown[] {
    return values.with(this.versionIndex, version);
  }
}

function soleIdColumn(metadata: EntityMetadata): ColumnMetadata {
  const [id, ...more] = metadata.primaryColumns;
  if (!id || more.length > 0 || id.propertyName !== 'id') {
    throw new UsageError(`The entity schema "${metadata.name}" does not have exactly one primary column "id".`, 'give the aggregate one `id` column marked `primary: true`.');
  }
  return id;
}

function equal(left: unknown, right: unknown): boolean {
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime();
  return (left ?? null) === (right ?? null);
}
