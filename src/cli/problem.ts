import { problemEntry } from '@nestbox/http';
import { DomainError } from '@nestbox/kernel';
import { applicationProblems } from '../core/problems.js';
import { cliErrors } from './cli.errors.js';
import { facts, print, table } from './output.js';

/** `problem list`: every error that the application answers. */
export function list({ json }: { json: boolean }): void {
  const items = [...applicationProblems().values()].map(problemEntry).toSorted((left, right) => (left.code < right.code ? -1 : 1));
  print(json, items, (entries) => table(['CODE', 'STATUS', 'TITLE'], entries.map(({ code, status, title }) => [code, String(status), title])));
}

/** `problem show <code>`: why an error happens, and what to do about it. */
export function show(code: string, { json }: { json: boolean }): void {
  const found = applicationProblems().get(code);
  if (!found) throw new DomainError(cliErrors.noSuchProblem, `There is no problem "${code}". See \`problem list\`.`);
  print(json, problemEntry(found), ({ title, status, cause, cure }) => `${title}\n${facts([['code', code], ['status', String(status)], ['why', cause], ['what to do', cure]])}`);
}
