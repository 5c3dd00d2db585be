import 'reflect-metadata';
import { createServer } from 'node:net';
import { HealthRegistry } from '@nestbox/ops';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Application, createApplication } from './application.js';
import { banner } from './banner.js';
import { explainStartFailure } from './start-failure.js';

describe('a service of the topology', () => {
  let database: TestDatabase;
  let application: Application;
  let url: string;

  const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ LOG_LEVEL: 'silent', DATABASE_URL: database.url, ...more });

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await createApplication(environment());
    await application.app.listen(0, '127.0.0.1');
    url = await application.app.getUrl();
  });

  afterAll(async () => {
    await application?.app.close();
    await database?.drop();
  });

  it('is the whole application when nothing else is said', async () => {
    expect(application.topology).toMatchObject({ service: 'all', contexts: ['ordering', 'inventory', 'billing', 'reporting'] });
    const { info } = (await (await fetch(`${url}/health/ready`)).json()) as { info: object };
    expect(Object.keys(info)).toEqual(['process', 'database ordering', 'database inventory', 'database billing', 'database reporting', 'messaging']);
    expect((await fetch(`${url}/docs`)).status).toBe(200);
  });

  it('tells a person where it is, with a request that works on an empty system', async () => {
    const text = banner(application.topology, url);
    for (const [address] of text.matchAll(/http:\S+\/(docs|health\/ready)/g)) expect((await fetch(address)).status, address).toBe(200);
    const [, target, type, body] = /curl -i (\S+) -H 'content-type: (\S+)' -d '(.*)'$/m.exec(text)!;
    const answer = await fetch(target!, { method: 'POST', headers: { 'content-type': type! }, body: body! });
    expect(answer.status).toBe(201);
  });

  it('answers an error of a context as a problem with the id of the request', async () => {
    const answer = await fetch(`${url}/v1/products/nothing?x=1`, { headers: { 'x-request-id': 'look-1' } });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ status: 404, instance: '/v1/products/nothing', traceId: 'look-1' });
  });

  it('stops being ready before it stops', async () => {
    application.app.get(HealthRegistry).leave();
    const answer = await fetch(`${url}/health/ready`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ detail: 'Not ready: process is stopping.' });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  describe('that cannot start says why in a line', () => {
    const failure = async (more: NodeJS.ProcessEnv) => {
      const env = environment({ SERVICE: 'ordering', ...more });
      const error = await createApplication(env).then(
        async ({ app }) => {
          await app.close();
          throw new Error('It started.');
        },
        (reason: unknown) => reason,
      );
      return explainStartFailure(error, env);
    };
    const at = (change: (address: URL) => void) => {
      const address = new URL(database.url);
      address.password = 'hunter2';
      change(address);
      return address.href;
    };

    it('when nothing listens where the database should be', async () => {
      const text = await failure({ ORDERING_DATABASE_URL: at((address) => (address.port = '1')) });
      expect(text).toMatch(/^The database cannot be reached \(.*ECONNREFUSED.*\)\. .*ORDERING_DATABASE_URL=postgres.*:\*\*\*@.*:1\//);
      expect(text).not.toMatch(/hunter2|\n/);
    });

    it('when the database does not exist', async () => {
      const text = await failure({ ORDERING_DATABASE_URL: at((address) => (address.pathname = '/nbtest_nowhere')) });
      expect(text).toMatch(/^The database does not exist .*Create it, or correct ORDERING_DATABASE_URL=/);
      expect(text).not.toMatch(/hunter2|\n/);
    });

    it('when the user is refused', async () => {
      const text = await failure({ ORDERING_DATABASE_URL: at((address) => (address.username = 'nobody_at_all')) });
      expect(text).toMatch(/^The database refused the user or password .*Check ORDERING_DATABASE_URL=/);
      expect(text).not.toMatch(/hunter2|\n/);
    });

    it('when settings are wrong, all of them', async () => {
      const text = await failure({ PORT: 'http', NATS_URL: 'http://me:hunter2@broker' });
      expect(text).toMatch(/PORT +"http" +must be a whole number from 0 to 65535\n +NATS_URL +\(hidden\) +must be a URL/);
      expect(text).not.toContain('hunter2');
    });

    it('when the topology has no such service', async () => {
      expect(await failure({ SERVICE: 'shipping' })).toMatch(/^topology\.yaml: there is no service "shipping"\.\n {2}What to do: set SERVICE to one of: all,/);
    });

    it('when the port is in use', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as { port: number };
      const env = environment({ SERVICE: 'gateway', PORT: String(port), NATS_URL: process.env['TEST_NATS_URL'] });
      const { app } = await createApplication(env);
      const error: unknown = await app.listen(port, '127.0.0.1').catch((reason: unknown) => reason);
      await app.close();
      other.close();
      expect(explainStartFailure(error, env)).toBe(`Port ${port} is in use. Stop what listens there, or set PORT to another one.`);
    });
  });
});
