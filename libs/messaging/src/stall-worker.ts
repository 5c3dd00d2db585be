import { Session, type Debugger } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, workerData } from 'node:worker_threads';
import pg from 'pg';

/** What the main thread is at: a handler of a reader and the event it was given. */
export interface Blocker {
  readonly url: string;
  readonly schema: string;
  readonly reader: string;
  readonly source: string;
  readonly lane: number;
  readonly n: number;
  /** Null when only the event is known. */
  readonly handler: string | null;
}

/** What was found out about a silence of the main thread. */
export interface StallNote {
  readonly blocker: Blocker | null;
  /** For people: who, how long, and where in the code. */
  readonly reason: string;
  /** How long it lasts already. */
  readonly silentMs: number;
  /** The process counts as dead by now. */
  readonly final: boolean;
}

export interface StallWatchData {
  /** The main thread's last sign of life, in hrtime ns. */
  readonly shared: BigInt64Array;
  readonly port: MessagePort;
  readonly stallMaxMs: number;
  readonly lookIntoAfterMs: number;
}

const LOOK_EVERY_MS = 100;
/** A thread that has itself missed so much time has learnt nothing: the whole process stood still. */
const PAUSED_MS = 500;
/** Code that runs outside of JavaScript does not answer the debugger, and neither does a process that hardly gets a processor. */
const DEBUGGER_PATIENCE_MS = 2_000;
const FRAMES_ASKED = 10;
const FRAMES_SHOWN = 3;
const WHERE = "globalThis[Symbol.for('nestbox.delivering')]?.() ?? 'null'";

const { shared, port, stallMaxMs, lookIntoAfterMs } = workerData as StallWatchData;
let underSuspicion: Blocker | null = null;
port.on('message', (blocker: Blocker | null) => {
  underSuspicion = blocker;
});

interface Found {
  readonly blocker: Blocker | null;
  readonly where: string;
}

/** Looks at the main thread's stack through its debugger, which works while it is busy. */
async function lookAtMainThread(): Promise<Found> {
  const session = new Session();
  session.connectToMainThread();
  try {
    const paused = new Promise<Debugger.PausedEventDataType>((resolve) => session.once('Debugger.paused', ({ params }) => resolve(params)));
    const urls = new Map<string, string>();
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.post('Debugger.enable');
    session.post('Debugger.pause');
    const stopped = await Promise.race([paused, sleep(DEBUGGER_PATIENCE_MS)]);
    if (!stopped) return { blocker: underSuspicion, where: 'and did not answer the debugger: outside of JavaScript, or on a machine that is overloaded' };
    const frames = stopped.callFrames.slice(0, FRAMES_ASKED);
    const places = frames.map(({ functionName, location }) => ({ functionName, line: location.lineNumber + 1, url: urls.get(location.scriptId) ?? '' }));
    const own = places.filter(({ url }) => url !== '' && !url.startsWith('node:'));
    const where = (own.length > 0 ? own : places).slice(0, FRAMES_SHOWN).map(({ functionName, url, line }) => `${functionName || 'anonymous'} (${url.split('/').slice(-3).join('/')}:${line})`);
    return { blocker: (await firstAnswer(session, frames)) ?? underSuspicion, where: `in ${where.join(', called by ')}` };
  } finally {
    session.post('Debugger.resume');
    session.post('Debugger.disable');
    session.disconnect();
  }
}

/** Not every frame answers: those inside of Node itself have another view of the world. */
async function firstAnswer(session: Session, frames: readonly Debugger.CallFrame[]): Promise<Blocker | null> {
  for (const { callFrameId } of frames) {
    const answer = await evaluate(session, callFrameId);
    if (answer) return answer;
  }
  return null;
}

function evaluate(session: Session, callFrameId: string): Promise<Blocker | null> {
  return new Promise((resolve) => {
    session.post('Debugger.evaluateOnCallFrame', { callFrameId, expression: WHERE, returnByValue: true }, (error, answer) => {
      resolve(error ? null : (JSON.parse(String(answer.result.value ?? 'null')) as Blocker | null));
    });
  });
}

/** For whoever takes over: this event, and not another one. */
async function writeDown({ url, schema, reader, source, lane, n, handler }: Blocker, reason: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'nestbox stall', connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`insert into "${schema}".attempt (reader, source, lane, n, handler, reason) values ($1, $2, $3, $4, $5, $6)`, [reader, source, lane, n, handler, reason]);
  } finally {
    await client.end();
  }
}

function describe({ blocker, where }: Found, silentMs: number): string {
  const who = blocker ? `${blocker.handler ?? 'A handler'} of "${blocker.reader}"` : 'Something that is no event handler';
  return `${who} blocked the event loop for more than ${Math.round(silentMs)} ms, ${where}.`;
}

async function run(): Promise<void> {
  let countedFrom = 0n;
  let found: Found | undefined;
  let final = false;
  for (;;) {
    const before = process.hrtime.bigint();
    await sleep(LOOK_EVERY_MS);
    const now = process.hrtime.bigint();
    if (now - before > BigInt(PAUSED_MS) * 1_000_000n) countedFrom = now;
    const alive = Atomics.load(shared, 0);
    const silentMs = Number(now - (alive > countedFrom ? alive : countedFrom)) / 1e6;
    if (silentMs < lookIntoAfterMs) {
      found = undefined;
      final = false;
    } else if (!found) {
      found = await lookAtMainThread();
      port.postMessage({ blocker: found.blocker, reason: describe(found, silentMs), silentMs, final: false } satisfies StallNote);
    } else if (silentMs >= stallMaxMs && !final) {
      final = true;
      const reason = describe(found, silentMs);
      port.postMessage({ blocker: found.blocker, reason, silentMs, final: true } satisfies StallNote);
      if (found.blocker) await writeDown(found.blocker, reason).catch(() => (final = false));
    }
  }
}

void run();
