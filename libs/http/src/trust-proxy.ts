import { isIP } from 'node:net';
import { UsageError } from '@nestbox/kernel';

/** Names of address ranges, as the package proxy-addr knows them. */
const RANGES = new Set(['loopback', 'linklocal', 'uniquelocal']);

/**
 * The proxies whose `X-Forwarded-For` is believed. A number of hops or "all" is not offered: whoever reaches the server
 * directly could then choose an address.
 * @throws UsageError for what is neither an address, a subnet nor the name of a range
 */
export function trustedProxies(proxies: readonly string[]): string[] | false {
  for (const proxy of proxies) {
    if (!RANGES.has(proxy) && !isSubnet(proxy)) throw new UsageError(`"${proxy}" is not a proxy that can be trusted.`, 'give an address, a subnet (10.0.0.0/8), or one of loopback, linklocal, uniquelocal.');
  }
  return proxies.length > 0 && [...proxies];
}

function isSubnet(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
