import { parseArgs } from 'node:util';

export const MODES = ['in-process', 'nats', 'split'] as const;
export type Mode = (typeof MODES)[number];

export interface DemoOptions {
  readonly mode: Mode;
  /** A running system to use, instead of starting one. */
  readonly url: string | undefined;
  readonly concurrency: number;
  readonly json: boolean;
  readonly killInventory: boolean;
  /** How long nothing may get on until that is a failure. */
  readonly patienceSeconds: number;
}

export const USAGE = `npm run demo -- [options]

Replays the orders of Northwind through the HTTP API and compares the sales report with the known totals.

  --mode MODE        in-process (default): one process, no broker
                     nats: one process, events through NATS
                     split: gateway, ordering, inventory ×2, billing, reporting
  --url URL          use the system that runs there, instead of starting one
  --concurrency N    requests at the same time (default 16)
  --kill-inventory   kill one inventory process half-way (split only, not with --url)
  --patience SECONDS how long nothing may get on until that is a failure (default 120)
  --json             print the result as one JSON object in the last line
`;

/** What is asked for cannot be done. */
export class InvalidOptions extends Error {}

/** @throws InvalidOptions */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const { help, mode = 'in-process', url, concurrency, json = false, 'kill-inventory': killInventory = false, patience } = parse(args);
  if (help) return 'help';
  if (!MODES.includes(mode as Mode)) throw new InvalidOptions(`--mode "${mode}" is none of ${MODES.join(', ')}.`);
  if (url !== undefined && !/^https?:$/.test(protocolOf(url))) throw new InvalidOptions(`--url "${url}" is not an http:// or https:// address.`);
  if (killInventory && (mode !== 'split' || url !== undefined)) throw new InvalidOptions('--kill-inventory needs a system that is started here with --mode split.');
  return {
    mode: mode as Mode,
    url,
    concurrency: positive('concurrency', concurrency, 16),
    json,
    killInventory,
    patienceSeconds: positive('patience', patience, 120),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        mode: { type: 'string' },
        url: { type: 'string' },
        concurrency: { type: 'string' },
        json: { type: 'boolean' },
        'kill-inventory': { type: 'boolean' },
        patience: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new InvalidOptions((error as Error).message);
  }
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidOptions(`--${name} "${text}" is not a whole number of 1 or more.`);
  return Number(text);
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
