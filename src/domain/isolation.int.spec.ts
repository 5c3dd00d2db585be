import { DomainError, uuidv7, withMessage } from '@nestbox/kernel';
import { contextDefinitionOf, handledMessage } from '@nestbox/messaging';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contexts } from '../contexts.js';
import { GetAccount } from './billing/interactors/get-account.js';
import { SetCreditLimit } from './billing/interactors/set-credit-limit.js';
import { GetProduct } from './inventory/interactors/get-product.js';
import { ListProducts } from './inventory/interactors/list-products.js';
import { ReceiveStock } from './inventory/interactors/receive-stock.js';
import { RegisterProduct } from './inventory/interactors/register-product.js';
import { CancelOrder } from './ordering/interactors/cancel-order.js';
import { GetOrder } from './ordering/interactors/get-order.js';
import { ListOrders } from './ordering/interactors/list-orders.js';
import { PlaceOrder } from './ordering/interactors/place-order.js';
import { GetCustomerSales } from './reporting/interactors/get-customer-sales.js';
import { GetSalesReport } from './reporting/interactors/get-sales-report.js';

/** What a stranger may know of somebody's data. */
interface Ids {
  readonly product: string;
  readonly customer: string;
  readonly reference: string;
  readonly order: string;
}

/** Every command and query of the application, asked about these ids. A new one without a line here fails the walk. */
const messages: Readonly<Record<string, (ids: Ids) => object>> = {
  [PlaceOrder.type]: ({ customer, product, reference }) => new PlaceOrder(customer, [{ productId: product, quantity: 2, unitPrice: 100 }], reference),
  [CancelOrder.type]: ({ order }) => new CancelOrder(order),
  [GetOrder.type]: ({ order }) => new GetOrder(order),
  [ListOrders.type]: ({ customer }) => new ListOrders({ customerId: customer }),
  [RegisterProduct.type]: ({ product }) => new RegisterProduct(product, 'A product'),
  [ReceiveStock.type]: ({ product }) => new ReceiveStock(product, 5),
  [GetProduct.type]: ({ product }) => new GetProduct(product),
  [ListProducts.type]: () => new ListProducts(),
  [SetCreditLimit.type]: ({ customer }) => new SetCreditLimit(customer, 1_000),
  [GetAccount.type]: ({ customer }) => new GetAccount(customer),
  [GetSalesReport.type]: () => new GetSalesReport(),
  [GetCustomerSales.type]: ({ customer }) => new GetCustomerSales(customer),
};

const definitions = Object.values(contexts).map((module) => contextDefinitionOf(module)!);
const typesOf = (kind: 'command' | 'query') =>
  definitions.flatMap(({ commands = [], queries = [] }) => (kind === 'command' ? commands : queries).map((handler) => handledMessage(handler, kind).type));
const [commands, queries] = [typesOf('command'), typesOf('query')];

describe('a stranger, for whom every id of a tenant is one that nobody has ever used,', () => {
  const owner = 'owner';
  let running: TestApplication;
  let owned: Ids;
  let before: Record<string, string[]>;

  const as = <T>(tenantId: string, work: () => Promise<T>): Promise<T> => withMessage({ correlationId: uuidv7(), tenantId }, work);

  /** What comes back, refusals included. */
  async function answer(type: string, ids: Ids, tenant: string): Promise<unknown> {
    const message = messages[type]!(ids);
    try {
      return await as<unknown>(tenant, () => (commands.includes(type) ? running.commands.execute(message) : running.queries.execute(message)));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const { name, code, kind, message: words, details } = error;
      return { name, code, kind, words, details };
    }
  }

  /** The answer without the ids: those that were asked for, and new ones. */
  function neutral(said: unknown, ids: Ids): string {
    const named = Object.entries(ids).reduce((text, [what, id]) => text.replaceAll(String(id), `<${what}>`), JSON.stringify(said));
    return named.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
  }

  /** Every row that a tenant has, table by table, events included. */
  async function rowsOf(tenant: string): Promise<Record<string, string[]>> {
    const tables = definitions.flatMap(({ name, publishes = [] }) => {
      const entities = running.db(name).dataSource.entityMetadatas.map(({ tableName }) => tableName);
      return [...entities, ...(publishes.length > 0 ? ['outbox'] : [])].map((table) => ({ context: name, table }));
    });
    const read = tables.map(async ({ context, table }): Promise<[string, string[]]> => {
      const { rows } = await running.db(context).query<{ line: string }>(`select to_jsonb(t)::text line from "${context}"."${table}" t where tenant_id = $1 order by 1`, [tenant]);
      return [`${context}.${table}`, rows.map(({ line }) => line)];
    });
    return Object.fromEntries(await Promise.all(read));
  }

  /** The events of a tenant, context by context, without ids. */
  async function eventsOf(tenant: string, ids: Ids): Promise<string[]> {
    const read = definitions.map(async ({ name }) => {
      const { rows } = await running.db(name).query('select type, payload from outbox where tenant_id = $1 order by position'.replace('outbox', `"${name}".outbox`), [tenant]);
      return rows.map((row) => neutral(row, ids));
    });
    return (await Promise.all(read)).flat();
  }

  beforeAll(async () => {
    running = await TestApplication.start(Object.values(contexts));
    const ids = { product: 'tofu', customer: 'VINET', reference: 'PO-10248' };
    const order = await as(owner, async () => {
      await running.commands.execute(new RegisterProduct(ids.product, 'Tofu'));
      await running.commands.execute(new ReceiveStock(ids.product, 10));
      await running.commands.execute(new SetCreditLimit(ids.customer, 1_000_000));
      return running.commands.execute(messages[PlaceOrder.type]!({ ...ids, order: '' }) as PlaceOrder);
    });
    owned = { ...ids, order: order.id };
    await running.settled();
    before = await rowsOf(owner);
  });
  afterAll(() => running?.stop());

  it('is asked with every message of every context', () => {
    expect(Object.keys(messages).toSorted()).toEqual([...commands, ...queries].toSorted());
  });

  it('looks at an owner who has something everywhere', async () => {
    expect(Object.entries(before).filter(([, rows]) => rows.length === 0)).toEqual([]);
    for (const type of queries) expect(neutral(await answer(type, owned, owner), owned), type).not.toBe(neutral(await answer(type, owned, 'a stranger'), owned));
  });

  it.each([...queries, ...commands])('gets the answer to %s that is nobody\'s, and so do its effects', async (type) => {
    const unused: Ids = { product: `p-${uuidv7()}`, customer: `c-${uuidv7()}`, reference: `r-${uuidv7()}`, order: uuidv7() };
    const [stranger, nobody] = [`stranger to ${type}`, `nobody to ${type}`];
    expect(neutral(await answer(type, owned, stranger), owned)).toBe(neutral(await answer(type, unused, nobody), unused));
    await running.settled();
    expect(await eventsOf(stranger, owned)).toEqual(await eventsOf(nobody, unused));
  });

  it('gets empty lists and reports', async () => {
    expect(await answer(ListOrders.type, owned, 'a stranger')).toEqual({ items: [], next: null });
    expect(await answer(ListProducts.type, owned, 'a stranger')).toEqual({ items: [], next: null });
    expect(await answer(GetSalesReport.type, owned, 'a stranger')).toMatchObject({ orders: 0, units: 0, revenue: { amount: 0 } });
  });

  it('has changed nothing of the owner\'s in the end', async () => {
    expect(await rowsOf(owner)).toEqual(before);
  });
});
