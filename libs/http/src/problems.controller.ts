import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import Negotiator from 'negotiator';
import { httpProblems } from './http-problems.js';
import { type ProblemCatalogue, problemEntry } from './problem-catalogue.js';
import { problemListPage, problemPage } from './problem-pages.js';
import { HttpRefusal } from './problem.js';

/** Injection token of the catalogue. */
export const PROBLEM_CATALOGUE = Symbol('nestbox:problem-catalogue');

interface Reply {
  header(name: string, value: string): Reply;
}

/** Explains every problem: a page for people, JSON for programs. */
@ApiExcludeController()
@Controller('problems')
export class ProblemsController {
  constructor(@Inject(PROBLEM_CATALOGUE) private readonly catalogue: ProblemCatalogue) {}

  @Get()
  list(@Headers('accept') accept: string | undefined, @Res({ passthrough: true }) reply: Reply): unknown {
    const items = [...this.catalogue.values()].map(problemEntry).toSorted((left, right) => (left.code < right.code ? -1 : 1));
    return answer(reply, accept, { items }, () => problemListPage(items));
  }

  @Get(':code')
  get(@Param('code') code: string, @Headers('accept') accept: string | undefined, @Res({ passthrough: true }) reply: Reply): unknown {
    const found = this.catalogue.get(code);
    if (!found) throw new HttpRefusal(httpProblems.unknownProblem, 'No problem has this code. /problems has all of them.');
    const entry = problemEntry(found);
    return answer(reply, accept, entry, () => problemPage(entry));
  }
}

function answer(reply: Reply, accept: string | undefined, value: object, html: () => string): unknown {
  const asJson = new Negotiator({ headers: { accept } }).mediaType(['text/html', 'application/json']) === 'application/json';
  reply.header('vary', 'accept');
  if (asJson) return value;
  // The page needs nothing but its own style; whatever got into it from elsewhere would not run.
  reply.header('content-type', 'text/html; charset=utf-8').header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
  return html();
}
