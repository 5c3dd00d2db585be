import type { SettingValues } from '@nestbox/kernel';
import type { ServiceTopology } from '@nestbox/messaging';
import type { adminSettings } from '../admin/admin.settings.js';
import type { identitySettings } from './identity.settings.js';

/** What a person who has just started the service wants to know. */
export function banner(topology: ServiceTopology, address: string, admin: SettingValues<typeof adminSettings>, { DEV_ISSUER: devIssuer }: Pick<SettingValues<typeof identitySettings>, 'DEV_ISSUER'>): string {
  const url = address.replace(/\/\/(0\.0\.0\.0|127\.0\.0\.1|\[::1?\])/, '//localhost');
  const head = `Nestbox service "${topology.service}" is ready.`;
  if (!topology.entrypoints.includes('http')) return `${head}\n  Health      ${url}/health/ready`;
  return [
    head,
    `  API         ${url}/v1`,
    `  Swagger UI  ${url}/docs`,
    `  Health      ${url}/health/ready`,
    ...adminLine(url, admin),
    ...(devIssuer ? [`  Token       TOKEN=$(curl -s -X POST ${url}/dev/token -H 'accept: text/plain')`] : []),
    '  Try         ' +
      `curl -i ${url}/v1/orders -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"customerId":"QUICK","lines":[{"productId":"chai","quantity":2,"unitPrice":1800}]}'`,
  ].join('\n');
}

function adminLine(url: string, { ADMIN_TOKEN: token, ADMIN_TOKEN_SHOW: show }: SettingValues<typeof adminSettings>): string[] {
  if (token === undefined) return [];
  return [`  Operations  curl ${url}/admin/trouble -H "authorization: Bearer ${show ? token : '$ADMIN_TOKEN'}"`];
}
