import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomOf } from '../chaos/random.ts';
import { type Operation, operationsOf } from './battery/document.ts';
import { type Attempt, attemptsOn, requestOf } from './battery/requests.ts';
import { type Answer, World } from './battery/world.ts';

const SEED = 20_260_301;
/** Requests at a time. */
const CROWD = 8;

/** What is served, and is not in the document of the API. */
const UNDOCUMENTED = ['/problems', '/problems/{code}', '/docs-json', '/asyncapi.json'];

describe('bad input', () => {
  let world: World;
  let operations: Operation[];
  let attempts: Attempt[];
  const answers = new Map<Attempt, Answer>();
  const mistakes: string[] = [];

  beforeAll(async () => {
    world = await World.start();
    const document = (await world.document()) as Parameters<typeof operationsOf>[0];
    const other = Object.fromEntries(UNDOCUMENTED.map((path) => [path, { get: { responses: { default: {} }, parameters: path.includes('{') ? [{ name: 'code', in: 'path' as const, required: true, schema: { type: 'string' }, example: 'http.not-found' }] : [] } }]));
    operations = operationsOf({ ...document, paths: { ...document.paths, ...other } });
  });
  afterAll(() => world?.stop());

  /** Sends requests, several at a time, in their order. */
  async function sendAll(requests: readonly Attempt[]): Promise<void> {
    for (let from = 0; from < requests.length; from += CROWD) {
      await Promise.all(requests.slice(from, from + CROWD).map(async (attempt) => {
        const answer = await world.send(attempt.request);
        answers.set(attempt, answer);
        mistakes.push(...mistakesOf(attempt, answer).map((mistake) => `${describeAttempt(attempt)}: ${mistake}\n    ${answer.status} ${answer.body.slice(0, 300)}`));
      }));
    }
  }

  function describeAttempt({ operation, what }: Attempt): string {
    return `${operation.name} ${what}`;
  }

  /** In what an answer is not as it has to be. */
  function mistakesOf({ operation, expected, request }: Attempt, { status, contentType, body }: Answer): string[] {
    if (status >= 500) return ['it is an error of the server'];
    if (expected === 'refused' && status < 400) return ['it is accepted, and the document forbids it'];
    const problem = status < 400 || request.method === 'HEAD' ? undefined : problemIn(contentType, body);
    if (typeof problem === 'string') return [problem];
    const isDocumented = expected === 'elsewhere' || operation.documents(status, problem?.['code'] as string | undefined);
    return [...(isDocumented ? [] : [`it answers what is not documented: ${status} ${String(problem?.['code'] ?? '')}`]), ...(problem ? leaksIn(body) : [])];
  }

  /** The problem that an answer is; what is wrong with it for one that is none. */
  function problemIn(contentType: string, body: string): Record<string, unknown> | string {
    if (!contentType.startsWith('application/problem+json')) return `an error as "${contentType}"`;
    const problem = JSON.parse(body) as Record<string, unknown>;
    const missing = ['type', 'title', 'status', 'detail', 'traceId'].filter((name) => problem[name] === undefined || problem[name] === '');
    return missing.length > 0 ? `a problem without ${missing.join(', ')}` : problem;
  }

  /** What only we should know: where code is, which tables there are, and how they are asked. */
  function leaksIn(body: string): string[] {
    const inside = /\\n\s+at |node_modules|\/dist\/|\.[cm]?[jt]s\b:?\d|\b(TypeError|RangeError|QueryFailedError|SyntaxError)\b|\b(relation|column) \\?"|violates|invalid input syntax|invalid byte sequence|out of range for type|select .* from |insert into |update .* set /i.exec(body);
    const table = world.tableNames.find((name) => new RegExp(`\\b${name.replace('.', '\\.')}\\b(?!-)`).test(body));
    return [...(inside ? [`it tells "${inside[0]}"`] : []), ...(table ? [`it names the table ${table}`] : [])];
  }

  it('is made from requests that are good: the examples of the document', async () => {
    for (const operation of operations) {
      const base = world.baseOf(operation);
      if (operation.body) expect([operation.name, operation.allows(operation.body, base.body)]).toEqual([operation.name, true]);
      const { status, body } = await world.send(requestOf(operation, base));
      // These two are examples of what is not there.
      const expected = ['post /admin/trouble/skip', 'delete /admin/readers/{reader}'].includes(operation.name) ? 404 : 200;
      expect(status, `${operation.name} ${body}`).toBeGreaterThanOrEqual(expected);
      expect(status, `${operation.name} ${body}`).toBeLessThan(expected + 100);
    }
  });

  it('is refused when the document forbids it, and changes nothing', async () => {
    const random = randomOf(SEED);
    // For operators every second one: what they may do goes through all contexts and takes its time.
    attempts = operations.flatMap((operation) => attemptsOn(operation, () => world.baseOf(operation), random)).filter(({ operation }) => !operation.path.startsWith('/admin/') || random() < 0.5);
    await world.settled();
    for (const operation of operations) {
      const before = await world.fingerprint();
      await sendAll(attempts.filter((attempt) => attempt.operation === operation && attempt.expected === 'refused'));
      if ((await world.fingerprint()) !== before) mistakes.push(`${operation.name}: a refused request has changed something`);
    }
    expect(mistakes.splice(0)).toEqual([]);
  });

  it('is answered as the document says when it is only strange, and changes nothing unless it is accepted', async () => {
    await sendAll(attempts.filter(({ expected }) => expected !== 'refused'));
    expect(mistakes.splice(0)).toEqual([]);
    await world.settled();
    // Once more, one by one, what was refused: nothing else goes on meanwhile, so that whatever changes has changed by it.
    let before = await world.fingerprint();
    for (const attempt of attempts.filter(({ expected, request }) => expected !== 'refused' && !['GET', 'HEAD'].includes(request.method))) {
      if (answers.get(attempt)!.status < 400) continue;
      const { status } = await world.send(attempt.request);
      if (status < 400) await world.settled();
      const after = await world.fingerprint();
      if (status >= 400 && after !== before) mistakes.push(`${describeAttempt(attempt)} is refused, and has changed something:\n${before}\n${after}`);
      before = after;
    }
    expect(mistakes.splice(0)).toEqual([]);
  });

  it('leaves the application as it was: its objects have no new fields, and it answers', async () => {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const refused = [...answers.values()].filter(({ status }) => status >= 400).length;
    process.stdout.write(`${operations.length} operations, ${answers.size} requests: ${refused} refused, ${answers.size - refused} accepted.\n`);
    for (const operation of operations.filter(({ method }) => method === 'GET')) expect((await world.send(requestOf(operation, world.baseOf(operation)))).status, operation.name).toBe(200);
    expect(answers.size).toBeGreaterThan(4_000);
  });
});
