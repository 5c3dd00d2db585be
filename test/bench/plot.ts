import { rounded } from './benchmark.js';
import type { Point } from './trend.js';

/** What one panel shows. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly Point[];
  /** A line below the name, such as a verdict. */
  readonly remark?: string;
}

const PANEL = { width: 560, height: 150 };
const COLUMNS = 2;
const EDGE = { left: 64, right: 16, top: 40, bottom: 22 };

/** An SVG picture with one panel for each series over the same time, in minutes; values begin at 0, so that growth looks as large as it is. */
export function plot(title: string, series: readonly Series[]): string {
  const end = Math.max(1e-9, ...series.flatMap(({ points }) => points.map(({ at }) => at)));
  const [width, height] = [PANEL.width * COLUMNS, 30 + PANEL.height * Math.ceil(series.length / COLUMNS)];
  const panels = series.map((one, index) => `<g transform="translate(${(index % COLUMNS) * PANEL.width} ${30 + Math.floor(index / COLUMNS) * PANEL.height})">${panel(one, end)}</g>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="16" y="20" font-size="14">${escaped(title)}</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function panel({ name, unit, points, remark }: Series, end: number): string {
  const [right, bottom] = [PANEL.width - EDGE.right, PANEL.height - EDGE.bottom];
  const most = Math.max(0, ...points.map(({ value }) => value)) || 1;
  const x = (at: number) => (EDGE.left + (at / end) * (right - EDGE.left)).toFixed(1);
  const y = (value: number) => (bottom - (value / most) * (bottom - EDGE.top)).toFixed(1);
  return [
    `<text x="${EDGE.left}" y="16" font-weight="bold">${escaped(name)}</text>`,
    `<text x="${EDGE.left}" y="31" fill="#555">${escaped(remark ?? '')}</text>`,
    `<path d="M${EDGE.left} ${EDGE.top}V${bottom}H${right}" fill="none" stroke="#999"/>`,
    `<text x="${EDGE.left - 6}" y="${EDGE.top + 4}" text-anchor="end">${escaped(`${rounded(most)} ${unit}`.trim())}</text>`,
    `<text x="${EDGE.left - 6}" y="${bottom + 4}" text-anchor="end">0</text>`,
    `<text x="${right}" y="${bottom + 15}" text-anchor="end">${escaped(`${rounded(end)} min`)}</text>`,
    `<polyline points="${points.map(({ at, value }) => `${x(at)},${y(value)}`).join(' ')}" fill="none" stroke="#1565c0" stroke-width="1.3"/>`,
  ].join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
