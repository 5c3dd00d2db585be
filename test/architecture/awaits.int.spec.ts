import { describe, expect, it } from 'vitest';
import { crashPoints, engineFiles, misnamed } from '../crash-points/engine.ts';

describe('every await of the engine', () => {
  const points = engineFiles().flatMap((file) => crashPoints(file));

  it('has a name of its own: a crash point that a test kills at', () => {
    expect(misnamed(points)).toEqual([]);
    console.log(`${points.length} crash points in ${new Set(points.map(({ file }) => file)).size} of ${engineFiles().length} files of the engine.`);
  });

  it('is found where it matters', () => {
    const names = points.map(({ name }) => name);
    expect(names).toContain('messaging/lane-transaction laneTransaction: unit.commit(statements)');
    expect(names).toContain('messaging/nats/relay Relay.fly: answersOrNews');
    expect(names).toContain('persistence/commit writeAlone: writeBatch(client)');
    expect(names).toContain('messaging/nats/jetstream-source JetStreamSource.follow: each of opened.messages');
  });

  const check = (text: string) => misnamed(crashPoints('libs/messaging/src/example.ts', text)).join();

  it('without a name is found, and told what to do', () => {
    expect(check('async function run(first) {\n  await (first ?? second());\n}')).toMatch(/example\.ts:2: "await \(first \?\? second\(\)\)" has no name.*named call/);
    expect(check('const run = async () => { await new Promise((resolve) => setTimeout(resolve, 5)); };')).toMatch(/has no name/);
    expect(check('const run = async () => { await work(); await this.running; for await (const one of this.all()) one(); };')).toBe('');
  });

  it('with the name of another one is found, and told what to do', () => {
    expect(check('async function run() {\n  await db.query(sql);\n  await db.query(sql);\n}')).toMatch(/example\.ts:3: "messaging\/example run: db\.query\(sql\)" is already the name of line 2.*named call/);
    expect(check("async function run() { await db.query('begin'); await db.query(`delete from ${table}`); }")).toBe('');
  });
});
