import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What `node --cpu-prof` writes: a tree of calls, and which of them was seen at each look, so many µs after the last. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame; readonly children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** A function and what it has called, with the time of all that, in µs. */
interface Frame {
  readonly name: string;
  readonly owner: string;
  time: number;
  readonly calls: Map<string, Frame>;
}

const WIDTH = 1_200;
const ROW = 17;
const TOP = 34;
/** Narrower ones are left out, in pixels: nobody could read them. */
const NARROWEST = 5;
/** Measured is what stands at the end of a process' life, when it is warm. */
const LAST_SHARE = 0.25;

/** Draws every CPU profile of a folder beside it; returns the files. */
export function drawProfiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => {
      const to = path.join(folder, file.replace(/cpuprofile$/, 'svg'));
      writeFileSync(to, flameGraph(file, JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as CpuProfile));
      return to;
    });
}

/**
 * A flame graph of the last quarter of a profile: each box is a function, as wide as the share of its time, on top of who
 * has called it. Time in which nothing was done is left out. Source of the form: Brendan Gregg, "The Flame Graph" (2016).
 */
export function flameGraph(title: string, profile: CpuProfile): string {
  const root = framesOf(profile);
  const depth = depthOf(root, root.time);
  const height = TOP + ROW * depth + 6;
  const boxes: string[] = [];
  draw(root, 0, 0, { scale: WIDTH / Math.max(1, root.time), height, total: root.time }, boxes);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<text x="8" y="20" font-size="13">${escaped(title)}: ${(root.time / 1e6).toFixed(2)} s at work</text>`,
    ...boxes,
    '</svg>\n',
  ].join('\n');
}

function framesOf({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const root: Frame = { name: 'all', owner: '', time: 0, calls: new Map() };
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0);
  let at = 0;
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index]!;
    // A look tells what goes on until the next one.
    const time = timeDeltas[index + 1] ?? 0;
    const called = frames.get(id)!.functionName;
    if (at < total * (1 - LAST_SHARE) || called === '(idle)') continue;
    const stack: CallFrame[] = [];
    for (let node: number | undefined = id; node !== undefined; node = callers.get(node)) stack.unshift(frames.get(node)!);
    let frame = root;
    frame.time += time;
    for (const call of stack.slice(1)) {
      frame = frameIn(frame, call);
      frame.time += time;
    }
  }
  return root;
}

function frameIn({ calls }: Frame, { functionName, url, lineNumber }: CallFrame): Frame {
  const name = functionName || '(anonymous)';
  const key = `${name} ${url}:${lineNumber}`;
  let frame = calls.get(key);
  if (!frame) calls.set(key, (frame = { name, owner: ownerOf(url), time: 0, calls: new Map() }));
  return frame;
}

/** The package, or the part of the project, that a file belongs to. */
function ownerOf(url: string): string {
  const [, dependency] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  const [, library] = /\/libs\/([^/]+)\//.exec(url) ?? [];
  return dependency ?? (library ? `@nestbox/${library}` : url.startsWith('node:') ? 'node' : url ? 'application' : 'native');
}

function depthOf({ time, calls }: Frame, total: number): number {
  return 1 + Math.max(0, ...[...calls.values()].filter((call) => isWide(call.time, total)).map((call) => depthOf(call, total)), time > 0 ? 0 : -1);
}

function isWide(time: number, total: number): boolean {
  return (time / total) * WIDTH >= NARROWEST;
}

interface Canvas {
  readonly scale: number;
  readonly height: number;
  readonly total: number;
}

function draw(frame: Frame, x: number, row: number, canvas: Canvas, boxes: string[]): void {
  const { scale, height, total } = canvas;
  const width = frame.time * scale;
  const y = height - ROW * (row + 1);
  const fits = Math.floor((width - 6) / 6.2);
  const label = fits >= 3 ? `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(frame.name.slice(0, fits))}</text>` : '';
  const share = ((frame.time / total) * 100).toFixed(1);
  boxes.push(`<g><title>${escaped(`${frame.name} (${frame.owner}) ${share} %`)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colourOf(frame.owner)}"/>${label}</g>`);
  let left = x;
  for (const call of [...frame.calls.values()].toSorted((one, other) => other.time - one.time)) {
    if (isWide(call.time, total)) draw(call, left, row + 1, canvas, boxes);
    left += call.time * scale;
  }
}

/** The same for all functions of one owner. */
function colourOf(owner: string): string {
  let hash = 0;
  for (const char of owner) hash = (hash * 31 + char.codePointAt(0)!) % 360;
  return owner === 'node' || owner === 'native' || owner === '' ? '#d9d9d9' : `hsl(${hash} 65% 75%)`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
