import type { EntityManager, EntityMetadata, EntitySchema, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import { currentTenant, UsageError } from '@nestbox/kernel';

/** A parameter that no query of an application is called by. */
const PARAMETER = 'nestbox_tenant';

/** The column that says whose a row is; undefined for a table that belongs to nobody. */
export function tenantColumnOf({ columns }: EntityMetadata): ColumnMetadata | undefined {
  return columns.find((column) => column.propertyName === 'tenantId');
}

/**
 * A query that sees the current tenant's rows and no others, whatever conditions it gets: not the `where` is bound to
 * the tenant, which TypeORM replaces with the next `where`, but what the query selects from.
 * @throws UsageError when rows of this entity belong to no tenant
 */
export function selectTenantRows<E extends ObjectLiteral>(manager: EntityManager, schema: EntitySchema<E>, alias: string): SelectQueryBuilder<E> {
  const query = manager.createQueryBuilder(schema, alias);
  const main = query.expressionMap.mainAlias!;
  const tenant = tenantColumnOf(main.metadata);
  if (!tenant) {
    throw new UsageError(`The entity schema "${main.metadata.name}" has no column "tenantId", so its rows belong to no tenant.`, 'add the column, or query it with `manager.createQueryBuilder(…)`.');
  }
  const table = main.metadata.tablePath.split('.').map((part) => query.escape(part)).join('.');
  // Postgres plans it as if the condition stood in the query itself.
  main.subQuery = `(select * from ${table} where ${query.escape(tenant.databaseName)} = :${PARAMETER})`;
  return query.setParameter(PARAMETER, currentTenant());
}
