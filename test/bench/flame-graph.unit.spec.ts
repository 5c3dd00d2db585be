import { describe, expect, it } from 'vitest';
import { type CpuProfile, flameGraph } from './flame-graph.js';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 1 });

/** `work` calls `write`; it is seen in both, and idle in between. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 4] },
    { id: 2, callFrame: frame('work', 'file:///p/libs/messaging/dist/work.js'), children: [3] },
    { id: 3, callFrame: frame('write<T>', 'file:///p/node_modules/@scope/writer/index.js') },
    { id: 4, callFrame: frame('(idle)') },
  ],
  // The first three quarters are not drawn.
  samples: [2, 3, 4, 3, 2, 2],
  timeDeltas: [0, 300_000, 10_000, 40_000, 30_000, 20_000],
};

describe('a flame graph', () => {
  it('shows what the end of a profile was spent on, whoever has called it below, and nothing of idle time', () => {
    const svg = flameGraph('a <profile>', profile);
    expect(svg).toContain('a &lt;profile&gt;: 0.06 s at work');
    const titles = Array.from(svg.matchAll(/<title>(.*?)<\/title>/g), ([, title]) => title);
    expect(titles).toEqual(['all () 100.0 %', 'work (@nestbox/messaging) 100.0 %', 'write&lt;T&gt; (@scope/writer) 66.7 %']);
    const [all, work, write] = Array.from(svg.matchAll(/<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)"/g), ([, x, y, width]) => ({ x: Number(x), y: Number(y), width: Number(width) }));
    expect([all!.width, work!.width]).toEqual([1_200, 1_200]);
    expect(write!.width).toBeCloseTo(1_200 * 0.667, 0);
    expect(all!.y).toBeGreaterThan(work!.y);
    expect(work!.y).toBeGreaterThan(write!.y);
  });

  it('leaves out what is too narrow to be read', () => {
    const svg = flameGraph('p', { ...profile, samples: [2, 2, 2, 3], timeDeltas: [0, 1, 1_000_000, 1] });
    expect(svg).not.toContain('writer');
  });

  it('is empty, and still a picture, when nothing was done', () => {
    expect(flameGraph('p', { ...profile, samples: [4, 4], timeDeltas: [0, 10] })).toContain('0.00 s at work');
  });
});
