import Fastify from 'fastify';
import pg from 'pg';
import { serve } from '../child.js';
import { type OrderBody, type OrderRow, placed, viewOf } from './order.js';
import { usage } from './usage.js';

const identifier = { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' };
const money = { type: 'object', properties: { amount: { type: 'integer' }, currency: { type: 'string' } } };
const line = {
  type: 'object',
  required: ['productId', 'quantity', 'unitPrice'],
  additionalProperties: false,
  properties: { productId: identifier, quantity: { type: 'integer', minimum: 1, maximum: 1_000_000 }, unitPrice: { type: 'integer', minimum: 0 }, discountPercent: { type: 'integer', minimum: 0, maximum: 100 } },
};
const body = {
  type: 'object',
  required: ['customerId', 'lines'],
  additionalProperties: false,
  properties: { customerId: identifier, reference: { type: 'string', minLength: 1, maxLength: 100 }, lines: { type: 'array', minItems: 1, maxItems: 100, items: line } },
};
const state = { type: 'object', properties: { id: { type: 'string' }, status: { type: 'string' } } };
const view = {
  type: 'object',
  properties: {
    ...state.properties, customerId: { type: 'string' }, reference: { type: 'string', nullable: true }, reason: { type: 'string' },
    lines: { type: 'array', items: { type: 'object', properties: { ...line.properties, total: money } } },
    total: money, version: { type: 'integer' },
    history: { type: 'array', items: { type: 'object', properties: { status: { type: 'string' }, time: { type: 'string' } } } },
  },
};

const INSERT_ORDER = `insert into ordering.orders (tenant_id, id, customer_id, reference, status, reason, lines, total_amount, currency, history, version)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
const INSERT_EVENT = `insert into ordering.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

let stop = async () => {};

/** What one writes by hand: Fastify with JSON schemas, pg, and the statements of the transaction one after the other. Nobody is asked who they are. */
serve(
  {
    async start({ databaseUrl }: { databaseUrl: string }): Promise<string> {
      const pool = new pg.Pool({ connectionString: databaseUrl });
      const app = Fastify();
      app.post<{ Body: OrderBody }>('/v1/orders', { schema: { body, response: { 201: state } } }, async (request, reply) => {
        const { order, event } = placed(request.body);
        await store(pool, order, event);
        return reply.code(201).header('location', `/v1/orders/${order.id}`).send({ id: order.id, status: order.status });
      });
      app.get<{ Params: { id: string } }>('/v1/orders/:id', { schema: { response: { 200: view } } }, async (request, reply) => {
        const { rows } = await pool.query<OrderRow>('select * from ordering.orders where tenant_id = $1 and id = $2', ['default', request.params.id]);
        return rows[0] ? viewOf(rows[0]) : reply.code(404).send();
      });
      stop = async () => {
        await app.close();
        await pool.end();
      };
      return app.listen({ port: 0, host: '127.0.0.1' });
    },
    usage,
  },
  () => stop(),
);

async function store(pool: pg.Pool, order: ReturnType<typeof placed>['order'], event: ReturnType<typeof placed>['event']): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(INSERT_ORDER, [
      order.tenantId, order.id, order.customerId, order.reference, order.status, order.reason, JSON.stringify(order.lines), order.totalAmount, order.currency, JSON.stringify(order.history), order.version,
    ]);
    await client.query(INSERT_EVENT, [
      event.id, event.tenantId, event.lane, event.aggregateType, event.aggregateId, event.aggregateVersion, event.type, event.schemaVersion, JSON.stringify(event.payload), JSON.stringify(event.headers),
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
