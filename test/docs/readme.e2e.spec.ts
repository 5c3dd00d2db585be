import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from '../../scripts/demo/options.ts';
import { bareEnvironment } from '../../scripts/children.ts';
import { projectRoot } from '../../scripts/project.ts';
import { EVENTUALLY, type Order, type Page, usd } from '../e2e/api.ts';
import { RunningApp } from '../e2e/harness.ts';

const run = promisify(execFile);
const readme = readFileSync(path.join(projectRoot, 'README.md'), 'utf8');
const manifest = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { scripts: Record<string, string>; engines: { node: string } };

/** The lines of the code blocks of a language, without comments. */
function codeLines(language: string): string[] {
  const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(([, found]) => found === language);
  return blocks.flatMap(([, , code]) => code!.split('\n').map((line) => line.replace(/\s+#.*$/, '').trimEnd())).filter(Boolean);
}

const commands = codeLines('bash');
const curls = commands.filter((command) => command.startsWith('curl '));
/** What the shell must know for them. */
const variables = commands.filter((command) => /^[A-Z]+=/.test(command));
/** npm's own names for scripts, and `npm run`. */
const scripts = commands.filter((command) => /^npm (start|test|run)\b/.test(command));

describe('the README', () => {
  it('has nothing but commands that are tried here', () => {
    expect(curls.length).toBeGreaterThan(0);
    expect(scripts.length).toBeGreaterThan(0);
    expect(commands.filter((command) => !curls.includes(command) && !variables.includes(command) && !scripts.includes(command))).toEqual([]);
  });

  it('fits on a screen', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(70);
  });

  it.each(scripts)('can say "%s": there is such a script, with a program behind it', (command) => {
    const [, first, second] = command.split(' ');
    const script = manifest.scripts[first === 'run' ? second! : first!];
    const program = /(?:^|\s)node (\S+)/.exec(script ?? '')?.[1];
    expect(program, `package.json has no such script: ${command}`).toBeDefined();
    expect(existsSync(path.join(projectRoot, program!)), program).toBe(true);
  });

  it('shows every mode of the demo, with options that it takes', () => {
    const demos = scripts.filter((command) => command.startsWith('npm run demo -- '));
    const modes = demos.map((command) => parseOptions(command.split(' ').slice(4))).map((options) => options !== 'help' && options.mode);
    expect(modes).toEqual(['in-process', 'nats', 'split']);
  });

  it('asks for the Node that package.json asks for', () => {
    expect(/Node ([\d.]+) or later/.exec(readme)?.[1]).toBe(/^>=([\d.]+)$/.exec(manifest.engines.node)?.[1]);
  });

  it('has links that lead somewhere', () => {
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target!);
    expect(links.length).toBeGreaterThan(5);
    const broken = links.filter((target) => !target.startsWith('https://') && !existsSync(path.join(projectRoot, target)));
    expect(broken).toEqual([]);
    const mentioned = [...readme.matchAll(/`((?:src|docs|libs|samples|test)\/[^`]*|[\w-]+\.ya?ml)`/g)].map(([, file]) => file!);
    expect(mentioned.filter((file) => !existsSync(path.join(projectRoot, file)))).toEqual([]);
  });

  it('draws a picture whose arrows join what it has drawn', () => {
    const lines = codeLines('mermaid').map((line) => line.trim());
    expect(lines[0]).toBe('flowchart LR');
    const plain = lines.map((line) => line.replaceAll(/"[^"]*"/g, '""'));
    const drawn = new Set(plain.flatMap((line) => [...line.matchAll(/(\w+) ?[[(]/g)].map(([, id]) => id)));
    const ends = plain.flatMap((line) => {
      const [, from, to] = /^(\w+).*(?:->|~~~) (\w+)/.exec(line) ?? [];
      return from === undefined ? [] : [from, to];
    });
    expect(ends.length).toBeGreaterThan(10);
    expect(ends.filter((end) => !drawn.has(end))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('subgraph '))).toHaveLength(lines.filter((line) => line === 'end').length);
  });

  describe('with the application running', () => {
    let app: RunningApp;
    beforeAll(async () => {
      app = await RunningApp.start('in-process');
    });
    afterAll(() => app?.stop());

    it('has curl commands that work when pasted, one after the other, and show an order that is confirmed', async () => {
      for (const curl of curls) {
        const here = [...variables, curl.replace(/^curl /, 'curl --fail-with-body --show-error ')].join('\n').replaceAll('http://localhost:3000', app.url);
        expect(here).not.toContain('localhost:3000');
        const { stdout } = await run('bash', ['-c', here]);
        expect(stdout).toMatch(/\{.*\}/s);
        // The report follows the order a moment later; a person who pastes is slower than that.
        await expect.poll(() => app.api.get<Page<Order>>('/v1/orders?status=placed'), EVENTUALLY).toMatchObject({ items: [] });
      }
      const orders = await app.api.orders();
      expect(orders).toMatchObject([{ status: 'confirmed', customerId: 'QUICK' }]);
      await expect.poll(() => app.api.sales('QUICK'), EVENTUALLY).toMatchObject({ orders: 1, units: 2, revenue: usd(3_600) });
    });

    it('has a command that rebuilds the report', async () => {
      const rebuild = scripts.find((command) => command.startsWith('npm run cli -- '));
      const args = rebuild!.split(' ').slice(4);
      const env = { ...bareEnvironment(), ...app.cliEnvironment };
      const { stdout } = await run(process.execPath, ['scripts/cli.ts', ...args], { cwd: projectRoot, env });
      expect(stdout).toContain('sales-report');
    });
  });
});
