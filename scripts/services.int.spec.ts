import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { ended } from './children.ts';
import { projectRoot } from './project.ts';
import { childrenOf, isRunning } from './test-support.ts';

/** Starts a nats-server of our own in another process, although one may answer on the default port. */
async function startElsewhere() {
  const program = `
    const { startNats } = await import(${JSON.stringify(path.join(projectRoot, 'scripts', 'services.ts'))});
    const service = await startNats();
    console.log(service.url);
    process.on('SIGTERM', () => service.stop().then(() => process.exit(0)));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = await new Promise<string[]>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().split('\n'))));
  return { child, url, servers: childrenOf(child.pid!) };
}

test('a NATS that was started here is gone after stop', async () => {
  const { child, url, servers } = await startElsewhere();
  expect(url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
  child.kill('SIGTERM');
  expect(await ended(child)).toBe(0);
  await vi.waitFor(() => expect(servers.filter(isRunning)).toEqual([]), { timeout: 10_000, interval: 20 });
});

test('a NATS that was started here does not outlive its starter, even when that is killed', async () => {
  const { child, servers } = await startElsewhere();
  child.kill('SIGKILL');
  await vi.waitFor(() => expect(servers.filter(isRunning)).toEqual([]), { timeout: 10_000, interval: 20 });
});
