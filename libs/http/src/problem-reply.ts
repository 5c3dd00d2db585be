import { httpProblems } from './http-problems.js';
import type { Problem } from './problem.js';

/** What an answer is written to: a reply of Fastify. */
export interface ProblemReply {
  status(code: number): ProblemReply;
  header(name: string, value: string): ProblemReply;
  send(body: unknown): unknown;
}

/** Media type of problems. Source: RFC 9457, section 3. */
export const PROBLEM_TYPE = 'application/problem+json';

/** Answers a request with a problem; one that is about who calls, with the scheme in which to say so. */
export function sendProblem(reply: ProblemReply, problem: Problem): void {
  const challenge = challengeOf(problem);
  if (challenge) reply.header('www-authenticate', challenge);
  void reply.status(problem.status).header('content-type', PROBLEM_TYPE).send(problem);
}

/** Source: RFC 6750, section 3. */
function challengeOf({ status, code, details }: Problem): string | undefined {
  if (status === 401) return code === httpProblems.invalidToken.code ? 'Bearer error="invalid_token"' : 'Bearer';
  const permission = status === 403 ? details?.['permission'] : undefined;
  return typeof permission === 'string' ? `Bearer error="insufficient_scope", scope="${permission}"` : undefined;
}
