import { describe, expect, it } from 'vitest';
import { continueTrace, startTrace, traceIds } from './trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a trace', () => {
  it('starts with ids of its own, and asks to be recorded', () => {
    const [first, second] = [startTrace(), startTrace()];
    expect(first.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(first.traceparent).not.toBe(second.traceparent);
  });

  it('goes on with a new span for every hop', () => {
    const spans = Array.from({ length: 3 }, () => traceIds(continueTrace({ traceparent: `00-${TRACE}-${SPAN}-01` }).traceparent!)!);
    expect(spans.map(({ traceId }) => traceId)).toEqual([TRACE, TRACE, TRACE]);
    expect(new Set([SPAN, ...spans.map(({ spanId }) => spanId)]).size).toBe(4);
  });

  it.each([['00', '00'], ['01', '01'], ['03', '03'], ['fd', '01'], ['fc', '00']])('keeps the flags that have a meaning: %s is %s', (given, flags) => {
    expect(continueTrace({ traceparent: `00-${TRACE}-${SPAN}-${given}` }).traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-${flags}$`));
  });

  it.each([`01-${TRACE}-${SPAN}-01`, `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`])('of a later version is continued as far as it is known: %s', (traceparent) => {
    expect(continueTrace({ traceparent }).traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  });

  it.each([
    '', 'nonsense', `ff-${TRACE}-${SPAN}-01`, `00-${'0'.repeat(32)}-${SPAN}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`, `00-${TRACE}-${SPAN}-01-more`, `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`, `00-${TRACE}-${SPAN}`, `00-${TRACE}-${SPAN}-1`, `01-${TRACE}-${SPAN}-01.more`, ` 00-${TRACE}-${SPAN}-01`,
  ])('is refused, with its state, when it is malformed: %j', (traceparent) => {
    expect(continueTrace({ traceparent, tracestate: 'a=1' })).toEqual({});
  });

  it('takes the state of others along, unless it is too long or no text', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    expect(continueTrace({ traceparent, tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' })).toMatchObject({ tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' });
    for (const tracestate of ['', `a=${'x'.repeat(512)}`, 'a=ü', 'a=1\n']) expect(continueTrace({ traceparent, tracestate })).not.toHaveProperty('tracestate');
  });
});
