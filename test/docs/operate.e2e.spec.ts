import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { uuidv7 } from '@nestbox/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareEnvironment } from '../../scripts/children.ts';
import { projectRoot } from '../../scripts/project.ts';
import { brokenEvent } from '../../src/admin/broken-event.spec.ts';
import { EVENTUALLY, unique } from '../e2e/api.ts';
import { ADMIN_TOKEN, RunningApp } from '../e2e/harness.ts';

const run = promisify(execFile);
const page = readFileSync(path.join(projectRoot, 'docs/how-to/operate.md'), 'utf8');
const commands = [...page.matchAll(/(?:npm run cli -- |curl )[^\n`]+/g)].map(([command]) => command);

describe('the page on how to look after a running system', () => {
  let app: RunningApp;
  const variables: Record<string, string> = {};

  beforeAll(async () => {
    app = await RunningApp.start('nats');
    const lines = [{ productId: await app.api.stock(5), quantity: 1, unitPrice: 100 }];
    variables['ID'] = unique('request');
    const { body } = await app.api.call<{ id: string }>('POST', '/v1/orders', { customerId: unique('customer'), lines }, { 'x-request-id': variables['ID'] });
    await app.api.settled(body.id);
  });
  afterAll(() => app?.stop());

  /** Runs a command of the page as a shell would. */
  async function shell(command: string): Promise<{ stdout: string; stderr: string; code: number }> {
    const line = command.replace('npm run cli --', `${process.execPath} dist/cli.js`).replace(/^curl /, 'curl --fail-with-body --silent --show-error ');
    const env = { ...bareEnvironment(), ...app.cliEnvironment, ...variables, URL: app.url, ADMIN_TOKEN };
    return run('bash', ['-c', line], { cwd: projectRoot, env }).then(
      (result) => ({ ...result, code: 0 }),
      (error: { stdout: string; stderr: string; code: number }) => error,
    );
  }

  /** Has something in trouble that the next command can be about. */
  async function makeTrouble(): Promise<void> {
    const orderId = uuidv7();
    variables['EVENT'] = await brokenEvent(app.database.url, orderId);
    variables['KEY'] = `default/ordering.order/${orderId}`;
    const listed = () => app.api.call<{ items: unknown[] }>('GET', `/admin/trouble?event=${variables['EVENT']}`, undefined, { authorization: `Bearer ${ADMIN_TOKEN}` });
    await expect.poll(async () => (await listed()).body.items, EVENTUALLY).toHaveLength(1);
  }

  it('has commands', () => {
    expect(commands.length).toBeGreaterThan(12);
  });

  it.each(commands)('%s', async (command) => {
    if (/trouble (replay|skip|edit)/.test(command)) await makeTrouble();
    const { stdout, stderr, code } = await shell(command);
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim()).not.toBe('');
  });

  it('tells a story that a person can read', async () => {
    const { stdout } = await shell('npm run cli -- trace $ID');
    expect(stdout).toMatch(/^request-\S+: 4 events in ordering, inventory, billing, from \d{4}-\d\d-\d\d \(UTC\) on\n\nordering\.order-placed {2}/);
    expect(stdout).toMatch(/committed by ordering\.place-order, number \d+ in lane \d+\n {2}[\d:.]+ {2}published as message \d+ of \S+_EVT_ordering\n {2}[\d:.]+ {2}handled by inventory: ReserveStockWhenOrderPlaced on \S+:\d+\n {4}inventory\.stock-reserved/);
  });

  it.each([
    ['trace nobody-knows-this', 'No event with the id or correlation id "nobody-knows-this"'],
    ['trouble list sales', 'There is no context "sales". There are: ordering'],
    ['trouble replay', 'Name a context, --reader, --handler, --key or --event; or say --all.'],
    ['reader rewind reporting.sales-report --from 1', '--repeat-effects'],
    ['reader rewind reporting.sales-report --from ten --repeat-effects', 'It must be a whole number.'],
  ])('a mistake is explained, in words and by the exit code: %s', async (command, says) => {
    const { stderr, code, stdout } = await shell(`npm run cli -- ${command}`);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(stdout).toBe('');
  });
});
