import { expect, it } from 'vitest';
import { Progress } from './progress.ts';

function shown(isTTY: boolean, total: number): string {
  let text = '';
  const out = { isTTY, write: (chunk: string | Uint8Array) => ((text += String(chunk)), true) };
  const progress = new Progress(out, 'Placed', total);
  for (let i = 0; i < total; i++) progress.tick();
  return text;
}

it('is a bar that is drawn again in its line on a terminal, full at the end', () => {
  const drawn = shown(true, 200).split('\r');
  expect(drawn[1]).toMatch(/^Placed +░{30} 0\/200 /);
  expect(drawn.at(-1)).toMatch(/^Placed +█{30} 200\/200 [\d.]+ s\n$/);
});

it('is a line per quarter elsewhere', () => {
  expect(shown(false, 200).replaceAll(/ [\d.]+ s/g, '')).toBe('Placed 50/200\nPlaced 100/200\nPlaced 150/200\nPlaced 200/200\n');
});
