import { currentTenant } from '@nestbox/kernel';
import { NoUnitOfWork } from './errors.js';
import type { ContextDatabase } from './context-database.js';
import type { Statement } from './statement.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * Writes that need no aggregate, such as a projection's: collected during the unit of work and sent once, when it
 * commits. `compile` sees all items together, so that it can merge them and touch rows in key order (rows touched in
 * any other order deadlock with parallel batches).
 */
export class DeferredWrites<T> {
  readonly order: number;

  /**
   * @param name for error messages, for example `reporting.sales`
   * @param compile turns the collected items into statements; with them it gets the tenants whose work has pushed them
   */
  constructor(
    private readonly db: ContextDatabase,
    readonly name: string,
    readonly compile: (items: readonly T[], tenantIds: readonly string[]) => Statement[],
  ) {
    this.order = db.nextOrder();
  }

  /** Collects a write for the current tenant. @throws NoUnitOfWork, ForeignUnitOfWork */
  push(item: T): void {
    const unitOfWork = UnitOfWork.of(this.db, this.name);
    if (!unitOfWork) throw new NoUnitOfWork(`Writing to ${this.name}`);
    unitOfWork.defer(this as DeferredWrites<unknown>, item, currentTenant());
  }
}
