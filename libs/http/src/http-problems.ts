import type { ErrorDefinition } from '@nestbox/kernel';

/** A problem of HTTP itself: it has a status of its own instead of the kind of a domain error. */
export interface HttpProblem extends Omit<ErrorDefinition, 'kind'> {
  readonly status: number;
}

/** What a server answers before, or instead of, the code of the application. */
export const httpProblems = {
  badRequest: {
    code: 'http.bad-request', status: 400, title: 'Bad request',
    cause: 'The request cannot be answered as it is.',
    cure: 'Read `detail`, and correct the request.',
  },
  invalidRequest: {
    code: 'http.invalid-request', status: 400, title: 'Invalid request',
    cause: 'Fields of the body, parameters of the path or of the query break rules, or are not known.',
    cure: 'Correct what `errors` names; the API document at `/docs` has all fields and their rules.',
  },
  malformedJson: {
    code: 'http.malformed-json', status: 400, title: 'Malformed JSON',
    cause: 'The body is empty, is not JSON, or has a field that reaches for the prototype of objects.',
    cure: 'Send a complete JSON document, encoded as UTF-8.',
  },
  malformedUrl: {
    code: 'http.malformed-url', status: 400, title: 'Malformed URL',
    cause: 'The path has a percent sign that does not begin an encoded character.',
    cure: 'Encode every part of the path (RFC 3986, section 2.1); a percent sign itself is `%25`.',
  },
  malformedMessage: {
    code: 'http.malformed-message', status: 400, title: 'Malformed HTTP',
    cause: 'What came over the connection is not a request of HTTP/1.1: its first line, a header or the length of its body breaks the protocol, or `Host` is missing.',
    cure: 'Send requests with a well-kept HTTP client, and look at proxies in between.',
  },
  invalidIdempotencyKey: {
    code: 'http.invalid-idempotency-key', status: 400, title: 'Invalid idempotency key',
    cause: 'The header `Idempotency-Key` is not one text of 1 to 255 printable ASCII characters, in double quotes or without blanks and quotes.',
    cure: 'Make a new key for every request that is not a repetition; a UUID is a good choice.',
  },
  invalidIfMatch: {
    code: 'http.invalid-if-match', status: 400, title: 'Invalid If-Match',
    cause: 'The header `If-Match` is neither `*` nor a list of entity tags in double quotes, or has too many of them.',
    cure: 'Send the `ETag` of the answer that you have read, with its quotes.',
  },
  invalidCursor: {
    code: 'http.invalid-cursor', status: 400, title: 'Invalid cursor',
    cause: 'The cursor was not given by an earlier page of this list with these filters, or was changed on the way; or it comes from another version of the API or from a server with another key.',
    cure: 'Follow the link `next` of a page as it is, or send its `nextCursor` with the same filters; `limit` may differ. Without a cursor the list starts anew.',
  },
  notAuthenticated: {
    code: 'http.not-authenticated', status: 401, title: 'Not authenticated',
    cause: 'Credentials are missing or wrong.',
    cure: 'Send those that the header `WWW-Authenticate` asks for.',
  },
  invalidToken: {
    code: 'http.invalid-token', status: 401, title: 'Invalid token',
    cause: 'The header `Authorization` has no bearer token, or one that is not to be believed: expired, for another audience, signed by somebody else.',
    cure: 'Get a new token from the issuer that the service trusts, and send it as `Authorization: Bearer <token>`.',
  },
  forbidden: {
    code: 'http.forbidden', status: 403, title: 'Forbidden',
    cause: 'The caller may not do this.',
    cure: 'Ask whoever grants access.',
  },
  notFound: {
    code: 'http.not-found', status: 404, title: 'Not found',
    cause: 'Nothing is at this path.',
    cure: 'Check the path; the API document at `/docs` has all of them.',
  },
  unknownProblem: {
    code: 'http.unknown-problem', status: 404, title: 'Unknown problem',
    cause: 'No error has this code.',
    cure: 'See the list at `/problems`.',
  },
  methodNotAllowed: {
    code: 'http.method-not-allowed', status: 405, title: 'Method not allowed',
    cause: 'There is something at this path, but not for this method.',
    cure: 'Use a method that the header `Allow` names.',
  },
  requestTimeout: {
    code: 'http.request-timeout', status: 408, title: 'Request too slow',
    cause: 'The request had not arrived as a whole in the time that the server gives to it.',
    cure: 'Send it again, faster.',
  },
  conflict: {
    code: 'http.conflict', status: 409, title: 'Conflict',
    cause: 'The state of the thing does not allow the request.',
    cure: 'Read `detail`, and the thing itself.',
  },
  tooLarge: {
    code: 'http.too-large', status: 413, title: 'Too large',
    cause: 'The body is larger than the server takes.',
    cure: 'Send less at once.',
  },
  uriTooLong: {
    code: 'http.uri-too-long', status: 414, title: 'URL too long',
    cause: 'A part of the path is longer than any that there is.',
    cure: 'Check the path.',
  },
  unsupportedMediaType: {
    code: 'http.unsupported-media-type', status: 415, title: 'Unsupported media type',
    cause: 'The body is not announced as JSON, or is compressed.',
    cure: 'Send JSON with `Content-Type: application/json`, and without `Content-Encoding`.',
  },
  expectationFailed: {
    code: 'http.expectation-failed', status: 417, title: 'Expectation failed',
    cause: 'The header `Expect` asks for something else than `100-continue`.',
    cure: 'Leave the header out.',
  },
  notAcceptableAsItIs: {
    code: 'http.unprocessable', status: 422, title: 'Not acceptable as it is',
    cause: 'The request breaks a rule.',
    cure: 'Read `detail`, and correct the request.',
  },
  rateLimited: {
    code: 'http.rate-limited', status: 429, title: 'Rate limited',
    cause: 'The caller asks too often.',
    cure: 'Wait as long as the header `Retry-After` says, or a while when it is not there.',
  },
  headersTooLarge: {
    code: 'http.headers-too-large', status: 431, title: 'Headers too large',
    cause: 'The first line and the headers of the request are together larger than the server takes, or too many.',
    cure: 'Send fewer or shorter headers, cookies above all, and what is long in the body.',
  },
  internalError: {
    code: 'http.internal-error', status: 500, title: 'Internal error',
    cause: 'Something went wrong that nobody foresaw, here or in another process of the system.',
    cure: 'Tell whoever runs the system, with the `traceId`: the logs have the reason under it.',
  },
  undocumentedAnswer: {
    code: 'http.undocumented-answer', status: 500, title: 'Undocumented answer',
    cause: 'The answer differs from what the API document says about it. Only where answers are checked, as during development.',
    cure: 'Correct the document or the answer: `detail` says where they differ.',
  },
  unavailable: {
    code: 'http.unavailable', status: 503, title: 'Not available at the moment',
    cause: 'The server cannot do what was asked for now: it is starting, stopping, or lacks something that it needs.',
    cure: 'Try again in a moment; `detail` says what is missing.',
  },
  gatewayTimeout: {
    code: 'http.gateway-timeout', status: 504, title: 'No answer in time',
    cause: 'What the server had to ask did not answer in time.',
    cure: 'Repeat what only reads. Before you repeat a change, look whether it was made.',
  },
} as const satisfies Readonly<Record<string, HttpProblem>>;

/** Of several with one status the first, which is the most general. */
const BY_STATUS: ReadonlyMap<number, HttpProblem> = new Map(Object.values(httpProblems).toReversed().map((problem) => [problem.status, problem]));

/** The problem that a status alone stands for; one that is not known stands for the first of its class (RFC 9110, section 15). */
export function problemOfStatus(status: number): HttpProblem {
  return BY_STATUS.get(status) ?? (status < 500 ? httpProblems.badRequest : httpProblems.internalError);
}
