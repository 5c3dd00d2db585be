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

  constructor(@InjectDatabase('ordering') private readonly db: ContextDatabase) {
    this.store = new AggregateStore(db, OrderSchema, {
      type: 'ordering.order',
      notFound: (id) => new OrderNotFound(id),
      unique: { orders_customer_id_reference_key: (order) => new DuplicateReference(order.customerId, order.reference ?? '') },
    });
  }

  add(order: Order): void {
    this.store.add(order);
  }

  /** @throws OrderNotFound */
  update<R>(id: string, decide: (order: Order) => R): Promise<R> {
    return this.store.update(id, decide);
  }

  /** For queries. @throws OrderNotFound */
  async read(id: string): Promise<Order> {
    const order = await this.db.manager.findOneBy(OrderSchema, { id });
    if (!order) throw new OrderNotFound(id);
    return order;
  }

  /** For queries: newest first, which is by id, because ids grow with time. */
  async page({ customerId, status, limit = DEFAULT_PAGE_SIZE, after }: OrderPosition): Promise<Page<Order>> {
    const query = this.db.manager.createQueryBuilder(OrderSchema, 'o').orderBy('o.id', 'DESC').limit(limit + 1);
    if (customerId !== undefined) query.andWhere('o.customerId = :customerId', { customerId });
    if (status !== undefined) query.andWhere('o.status = :status', { status });
    if (after !== undefined) query.andWhere('o.id < :after', { after });
    return pageOf(await query.getMany(), limit);
  }
}
