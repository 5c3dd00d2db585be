import type { Api } from './api.ts';

export interface ListedOrder {
  readonly id: string;
  readonly customerId: string;
  readonly reference: string | null;
  readonly status: 'placed' | 'confirmed' | 'rejected' | 'cancelled';
  readonly reason?: string;
  readonly lines: readonly { readonly quantity: number }[];
  readonly total: { readonly amount: number };
  readonly history: readonly { readonly status: string; readonly time: string }[];
}

interface OrderPage {
  readonly items: readonly ListedOrder[];
  readonly nextCursor: string | null;
}

/** All orders in the system, newest first; of one status only, if it is given. */
export async function listOrders(api: Api, status?: ListedOrder['status']): Promise<ListedOrder[]> {
  const orders: ListedOrder[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: '200', ...(status && { status }), ...(cursor && { cursor }) });
    const page: OrderPage = await api.get<OrderPage>(`/v1/orders?${query}`);
    orders.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return orders;
}

/** What tells an order from all others: references are unique for each customer. */
export function keyOf({ customerId, reference }: { readonly customerId: string; readonly reference: string | null }): string {
  return `${customerId} ${reference ?? ''}`;
}
