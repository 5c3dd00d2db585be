import type { ServiceTopology } from '@nestbox/messaging';

/** What a person who has just started the service wants to know. */
export function banner(topology: ServiceTopology, address: string): string {
  const url = address.replace(/\/\/(0\.0\.0\.0|127\.0\.0\.1|\[::1?\])/, '//localhost');
  const head = `Nestbox service "${topology.service}" is ready.`;
  if (!topology.entrypoints.includes('http')) return `${head}\n  Health      ${url}/health/ready`;
  return [
    head,
    `  API         ${url}/v1`,
    `  Swagger UI  ${url}/docs`,
    `  Health      ${url}/health/ready`,
    '  Try         ' +
      `curl -i ${url}/v1/orders -H 'content-type: application/json' -d '{"customerId":"QUICK","lines":[{"productId":"chai","quantity":2,"unitPrice":1800}]}'`,
  ].join('\n');
}
