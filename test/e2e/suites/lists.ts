import { beforeAll, describe, expect, it } from 'vitest';
import { type Order, type Page, type Product, unique } from '../api.ts';
import type { RunningApp } from '../harness.ts';

/** Lists: what is in them, in which order, and page by page. */
export function lists(app: () => RunningApp): void {
  describe('the list of orders', () => {
    const [customerId, other] = [unique('lister'), unique('lister')];
    /** Oldest first. */
    const ids: string[] = [];
    const status = (id: string) => (ids.indexOf(id) % 2 === 0 ? 'confirmed' : 'rejected');

    beforeAll(async () => {
      const { api } = app();
      const productId = await api.stock(100);
      const unknown = unique('unknown');
      for (let i = 0; i < 7; i++) ids.push(await api.place(customerId, [{ productId: i % 2 === 0 ? productId : unknown, quantity: 1, unitPrice: 1 }]));
      await api.settled(await api.place(other, [{ productId, quantity: 1, unitPrice: 1 }]));
      for (const id of ids) await api.settled(id);
    });

    it('is newest first, and shows orders as they are read one by one', async () => {
      const { api } = app();
      const page = await api.get<Page<Order>>(`/v1/orders?customerId=${customerId}`);
      expect(page.items.map((order) => order.id)).toEqual(ids.toReversed());
      expect(page.nextCursor).toBeNull();
      for (const item of page.items) expect(item).toEqual(await api.order(item.id));
    });

    it('is filtered by customer, by status, and by both', async () => {
      const { api } = app();
      for (const wanted of ['confirmed', 'rejected']) {
        const expected = ids.filter((id) => status(id) === wanted);
        expect((await api.orders({ customerId, status: wanted })).map((order) => order.id).toReversed()).toEqual(expected);
        const ofAll = await api.orders({ status: wanted });
        expect(ofAll.every((order) => order.status === wanted)).toBe(true);
        expect(ofAll.filter((order) => order.customerId === customerId)).toHaveLength(expected.length);
      }
      expect(await api.orders({ customerId, status: 'placed' })).toEqual([]);
      expect((await api.orders({ customerId: other })).map((order) => order.customerId)).toEqual([other]);
      expect(await api.orders({ customerId: unique('nobody') })).toEqual([]);
    });

    it('comes in pages that make up the whole, while newer orders arrive', async () => {
      const { api } = app();
      const seen: string[] = [];
      const sizes: number[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Page<Order> = await api.get(`/v1/orders?customerId=${customerId}&limit=3${cursor && `&cursor=${cursor}`}`);
        seen.push(...page.items.map((order) => order.id));
        sizes.push(page.items.length);
        cursor = page.nextCursor;
        await api.place(customerId, [{ productId: unique('unknown'), quantity: 1, unitPrice: 1 }]);
      }
      expect(seen).toEqual(ids.toReversed());
      expect(sizes).toEqual([3, 3, 1]);
    });

    it('has fifty orders on a page, unless the caller says', async () => {
      const { api } = app();
      const many = unique('many');
      const unknown = unique('unknown');
      await Promise.all(Array.from({ length: 51 }, () => api.place(many, [{ productId: unknown, quantity: 1, unitPrice: 1 }])));
      const page = await api.get<Page<Order>>(`/v1/orders?customerId=${many}`);
      expect([page.items.length, page.nextCursor === null]).toEqual([50, false]);
      const last = await api.get<Page<Order>>(`/v1/orders?customerId=${many}&cursor=${page.nextCursor}`);
      expect([last.items.length, last.nextCursor]).toEqual([1, null]);
      expect((await api.get<Page<Order>>(`/v1/orders?customerId=${many}&limit=51`)).nextCursor).toBeNull();
    });
  });

  it('the list of products has every product once, by id', async () => {
    const { api } = app();
    const added = [await api.stock(1), await api.stock(2)];
    const products: Product[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page<Product> = await api.get(`/v1/products?limit=2${cursor && `&cursor=${cursor}`}`);
      products.push(...page.items);
      cursor = page.nextCursor;
    }
    const ids = products.map((product) => product.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(added));
    expect(products.find((product) => product.id === added[1])).toEqual(await api.product(added[1]!));
  });
}
