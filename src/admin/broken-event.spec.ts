import { uuidv7 } from '@nestbox/kernel';
import pg from 'pg';

/** Commits an event that no version of the application understands, as a newer version would. Returns its id. */
export async function brokenEvent(databaseUrl: string, orderId: string): Promise<string> {
  const id = uuidv7();
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'nestbox test' });
  await client.connect();
  await client.query(
    `insert into ordering.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
     values ($1, 'default', 3, 'ordering.order', $2, 1, 'ordering.order-placed', 99, '{"unknown":true}', $3)`,
    [id, orderId, { correlationId: `request of ${orderId}` }],
  );
  await client.end();
  return id;
}
