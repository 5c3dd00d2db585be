import { Injectable } from '@nestjs/common';
import { AggregateStore, type ContextDatabase, InjectDatabase } from '@nestbox/persistence';
import { DEFAULT_PAGE_SIZE, type Page, pageOf } from '../../shared/page.js';
import type { Order } from '../models/order.js';
import { DuplicateReference, OrderNotFound } from '../models/order.errors.js';
import type { OrderPosition } from '../schemas/order-filter.js';
import { OrderSchema } from './order.schema.js';

@Injectable()
export class Orders {
  private readonly store: AggregateStore<Order>;

  constructor(@InjectDatabase('ordering') db: ContextDatabase) {
    this.store = new AggregateStore(db, OrderSchema, {
      type: 'ordering.order',
      notFound: (id) => new OrderNotFound(id),
      unique: { orders_customer_id_reference_key: (order) => new DuplicateReference(order.customerId, order.reference ?? '') },
    });
  }

  add(order: Order): void {
    this.store.add(order);
  }

  /** @throws OrderNotFound, VersionMismatch when it has none of the versions */
  update<R>(id: string, decide: (order: Order) => R, ifVersion?: readonly number[]): Promise<R> {
    return this.store.update(id, decide, ifVersion);
  }

  /** For queries. @throws OrderNotFound */
  read(id: string): Promise<Order> {
    return this.store.read(id);
  }

  /** For queries: newest first, which is by id, because ids grow with time. */
  async page({ customerId, status, limit = DEFAULT_PAGE_SIZE, after }: OrderPosition): Promise<Page<Order>> {
    const query = this.store.select('o').orderBy('o.id', 'DESC').limit(limit + 1);
    if (customerId !== undefined) query.andWhere('o.customerId = :customerId', { customerId });
    if (status !== undefined) query.andWhere('o.status = :status', { status });
    if (after !== undefined) query.andWhere('o.id < :after', { after });
    return pageOf(await query.getMany(), limit);
  }
}
