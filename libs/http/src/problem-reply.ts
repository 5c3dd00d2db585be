import type { Problem } from './problem.js';

/** What an answer is written to: a reply of Fastify. */
export interface ProblemReply {
  status(code: number): ProblemReply;
  header(name: string, value: string): ProblemReply;
  send(body: unknown): unknown;
}

/** Media type of problems. Source: RFC 9457, section 3. */
export const PROBLEM_TYPE = 'application/problem+json';

/** Answers a request with a problem. */
export function sendProblem(reply: ProblemReply, problem: Problem): void {
  void reply.status(problem.status).header('content-type', PROBLEM_TYPE).send(problem);
}
