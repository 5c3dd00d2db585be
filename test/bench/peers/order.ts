import { randomUUID } from 'node:crypto';
import { uuidv7 } from '@nestbox/kernel';

/** What callers send. */
export interface OrderBody {
  readonly customerId: string;
  readonly reference?: string;
  readonly lines: readonly { readonly productId: string; readonly quantity: number; readonly unitPrice: number; readonly discountPercent?: number }[];
}

const TENANT = 'default';
const LANES = 32;
const usd = (amount: number) => ({ amount, currency: 'USD' });

/** The row of an order and that of its event, as the application stores them. */
export function placed({ customerId, reference, lines: asked }: OrderBody) {
  const id = uuidv7();
  const [time, request] = [new Date().toISOString(), randomUUID()];
  const lines = asked.map(({ productId, quantity, unitPrice, discountPercent = 0 }) => ({
    productId, quantity, unitPrice: usd(unitPrice), discountPercent, total: usd(Math.round((unitPrice * quantity * (100 - discountPercent)) / 100)),
  }));
  const totalAmount = lines.reduce((sum, line) => sum + line.total.amount, 0);
  return {
    order: { tenantId: TENANT, id, customerId, reference: reference ?? null, status: 'placed', reason: null, lines, totalAmount, currency: 'USD', history: [{ status: 'placed', time }], version: 1 },
    event: {
      id: uuidv7(), tenantId: TENANT, lane: Number.parseInt(id.slice(-2), 16) % LANES, aggregateType: 'ordering.order', aggregateId: id, aggregateVersion: 1,
      type: 'ordering.order-placed', schemaVersion: 1, payload: { orderId: id, customerId, lines, total: usd(totalAmount), placedAt: time },
      headers: { correlationId: request, causationId: request, origin: 'ordering.place-order', traceparent: `00-${request.replaceAll('-', '')}-${id.slice(-16).replace('-', '0')}-01` },
    },
  };
}

/** The row of an order, as pg gives it. */
export interface OrderRow {
  readonly id: string;
  readonly customer_id: string;
  readonly reference: string | null;
  readonly status: string;
  readonly reason: string | null;
  readonly lines: ReturnType<typeof placed>['order']['lines'];
  readonly total_amount: string;
  readonly currency: string;
  readonly history: readonly { readonly status: string; readonly time: string }[];
  readonly version: number;
}

/** The answer to who reads an order. */
export function viewOf({ id, customer_id: customerId, reference, status, reason, lines, total_amount: amount, currency, version, history }: OrderRow) {
  return {
    id, status, customerId, reference, ...(reason !== null && { reason }),
    lines: lines.map((line) => ({ ...line, unitPrice: line.unitPrice.amount })),
    total: { amount: Number(amount), currency }, version, history,
  };
}
