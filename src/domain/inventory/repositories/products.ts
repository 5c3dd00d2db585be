import { Injectable } from '@nestjs/common';
import { AggregateStore, type ContextDatabase, InjectDatabase } from '@nestbox/persistence';
import { DEFAULT_PAGE_SIZE, type Page, pageOf } from '../../shared/page.js';
import { ProductAlreadyRegistered, ProductNotFound } from '../models/product.errors.js';
import type { Product } from '../models/product.js';
import { ProductSchema } from './product.schema.js';

@Injectable()
export class Products {
  private readonly store: AggregateStore<Product>;

  constructor(@InjectDatabase('inventory') db: ContextDatabase) {
    this.store = new AggregateStore(db, ProductSchema, {
      type: 'inventory.product',
      notFound: (id) => new ProductNotFound(id),
      unique: { products_pkey: (product) => new ProductAlreadyRegistered(product.id) },
    });
  }

  add(product: Product): void {
    this.store.add(product);
  }

  /** @throws ProductNotFound, VersionMismatch when it has none of the versions */
  update<R>(id: string, decide: (product: Product) => R, ifVersion?: readonly number[]): Promise<R> {
    return this.store.update(id, decide, ifVersion);
  }

  /** Those of the products that exist, by id. */
  findMany(ids: readonly string[]): Promise<ReadonlyMap<string, Product>> {
    return this.store.findMany(ids);
  }

  /** For queries. @throws ProductNotFound */
  read(id: string): Promise<Product> {
    return this.store.read(id);
  }

  /** For queries: by id. */
  async page(limit = DEFAULT_PAGE_SIZE, after?: string): Promise<Page<Product>> {
    const query = this.store.select('p').orderBy('p.id').limit(limit + 1);
    if (after !== undefined) query.where('p.id > :after', { after });
    return pageOf(await query.getMany(), limit);
  }
}
