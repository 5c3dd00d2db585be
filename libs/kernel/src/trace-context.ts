import { randomFillSync } from 'node:crypto';

/** Where some work stands in a distributed trace. Source: W3C Trace Context. */
export interface TraceContext {
  /** `00-<trace id>-<span id>-<flags>`: the span is the work in progress, the parent of what it causes. */
  readonly traceparent?: string;
  /** What tracing systems of the callers have added, passed on unchanged. */
  readonly tracestate?: string;
}

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** So much of it has to be passed on; what is longer is left out as a whole. */
const LONGEST_TRACESTATE = 512;
const TRACESTATE = /^[\x20-\x7e]+$/;
/** The flags that have a meaning: sampled, and that the trace id is random. */
const KNOWN_FLAGS = 0b11;
/** Whoever records what it causes should do so. */
const SAMPLED = '01';

/** The first span of a new trace. */
export function startTrace(): TraceContext & { readonly traceparent: string } {
  return { traceparent: `00-${randomId(TRACE_BYTES)}-${randomId(SPAN_BYTES)}-${SAMPLED}` };
}

/**
 * A new span in the trace of the caller: every hop has a span id of its own, and the trace id stays. Empty when there is no
 * trace, or its `traceparent` is malformed.
 */
export function continueTrace({ traceparent, tracestate }: TraceContext): TraceContext {
  const [, version, traceId, , flags, more] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || (version === '00' && more !== undefined)) return {};
  const known = (Number.parseInt(flags!, 16) & KNOWN_FLAGS).toString(16).padStart(2, '0');
  const isUsable = tracestate !== undefined && tracestate.length <= LONGEST_TRACESTATE && TRACESTATE.test(tracestate);
  return { traceparent: `00-${traceId}-${randomId(SPAN_BYTES)}-${known}`, ...(isUsable && { tracestate }) };
}

/** The ids in a `traceparent`; undefined when it is malformed. */
export function traceIds(traceparent: string): { readonly traceId: string; readonly spanId: string } | undefined {
  const [, , traceId, spanId] = TRACEPARENT.exec(traceparent) ?? [];
  return traceId === undefined ? undefined : { traceId, spanId: spanId! };
}

const [TRACE_BYTES, SPAN_BYTES] = [16, 8];

/** Random bytes that are not used up yet: asking the system for each id would cost ten times as much as the id. */
const pool = Buffer.allocUnsafeSlow(2_048);
let used = pool.length;

function randomId(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}
