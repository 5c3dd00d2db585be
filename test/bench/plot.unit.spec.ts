import { expect, it } from 'vitest';
import { plot } from './plot.js';

const points = [{ at: 0, value: 5 }, { at: 1, value: 10 }, { at: 2, value: 0 }];

it('has a panel for each series, with its name, its remark, and the largest value at its axis', () => {
  const svg = plot('Soak', [{ name: 'memory', unit: 'MiB', points, remark: 'does not grow' }, { name: 'files', unit: '', points }]);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  for (const text of ['Soak', 'memory', 'files', 'does not grow', '10 MiB', '10', '2 min']) expect(svg).toContain(`>${text}</text>`);
});

it('draws the largest value at the top, 0 at the bottom, and the whole time across', () => {
  const [, drawn] = /<polyline points="([^"]*)"/.exec(plot('', [{ name: '', unit: '', points }]))!;
  expect(drawn).toBe('64.0,84.0 304.0,40.0 544.0,128.0');
});

it('shows names as they are', () => {
  expect(plot('a < b & c > d', [])).toContain('a &lt; b &amp; c &gt; d');
});

it.each([[[]], [[{ at: 0, value: 0 }]]])('can draw %j', (few) => {
  expect(plot('', [{ name: 'few', unit: '', points: few }])).not.toMatch(/NaN|Infinity/);
});
