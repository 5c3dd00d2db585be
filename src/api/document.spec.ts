import { AnswerCheck, type DocumentedRoute, operationsOf } from '@nestbox/http';
import type { OpenAPIObject } from '@nestjs/swagger';

type Operation = DocumentedRoute['operation'] & { readonly 'x-permission'?: string };

/** Headers that are answered only when there is something to say. */
const SOMETIMES = new Set(['idempotent-replayed', 'link']);

/** The OpenAPI document, as a client that believes every word of it reads it. */
export class ApiDocument {
  /** Every operation: `get /v1/orders`. */
  readonly operations: ReadonlyMap<string, Operation>;
  private readonly check: AnswerCheck;

  constructor(private readonly document: OpenAPIObject) {
    this.operations = new Map(operationsOf(document).map(({ method, path, operation }) => [`${method} ${path}`, operation]));
    this.check = new AnswerCheck(document);
  }

  /** Every operation in the order that Swagger UI shows them: by tags. */
  get inOrder(): string[] {
    const tags = (this.document.tags ?? []).map(({ name }) => name);
    const rank = (name: string) => tags.indexOf(this.operation(name).tags?.[0] ?? '');
    return [...this.operations.keys()].toSorted((left, right) => rank(left) - rank(right));
  }

  /** The path of an operation, with the examples of its parameters, and its query. */
  exampleUrlOf(name: string): string {
    const { parameters = [] } = this.operation(name);
    const path = name.split(' ')[1]!.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => String(parameters.find((declared) => declared.in === 'path' && declared.name === parameter)?.example));
    const query = parameters.filter((declared) => declared.in === 'query').flatMap(({ name: key, example, schema }) => {
      const value = example ?? schema?.default;
      return value === undefined ? [] : [[key, String(value)]];
    });
    return query.length > 0 ? `${path}?${new URLSearchParams(Object.fromEntries(query) as Record<string, string>).toString()}` : path;
  }

  /** The bodies that the document gives as examples for an operation. */
  examplesOf(operation: string): unknown[] {
    const body = this.operation(operation).requestBody?.content['application/json'];
    if (!body) return [undefined];
    return body.examples ? Object.values(body.examples).map((example) => ('value' in example ? example.value : undefined)) : [body.example];
  }

  /** In what an answer differs from what the document says about it; empty when in nothing. */
  differences(operation: string, status: number, contentType: string, body: unknown): string[] {
    return this.check.differences({ name: operation, operation: this.operation(operation) }, status, contentType, body);
  }

  /** The headers that an answer is documented to have, in lower case; not those of a repeated request, which only its repetition has. */
  headersOf(operation: string, status: number): string[] {
    return Object.keys(this.operation(operation).responses[status]?.headers ?? {}).map((name) => name.toLowerCase()).filter((name) => !SOMETIMES.has(name));
  }

  /** The headers that Swagger UI sends unless somebody takes them out: those with an example. */
  exampleHeadersOf(operation: string): Record<string, string> {
    const { parameters = [] } = this.operation(operation);
    const filledIn = parameters.filter((declared) => declared.in === 'header').map(({ name, example, schema }) => [name, example ?? schema?.default ?? schema?.examples?.[0]] as const);
    return Object.fromEntries(filledIn.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]));
  }

  /** The codes of all problems that an operation is documented to answer, each after its status: `404 ordering.order-not-found`. */
  problemsOf(operation: string): string[] {
    return Object.entries(this.operation(operation).responses).flatMap(([status, { content }]) => {
      const parts = content?.['application/problem+json']?.schema?.allOf ?? [];
      return parts.flatMap(({ properties }) => properties?.['code']?.enum ?? []).map((code) => `${status} ${String(code)}`);
    });
  }

  private operation(name: string): Operation {
    const found = this.operations.get(name);
    if (!found) throw new Error(`The document has no operation "${name}", only ${[...this.operations.keys()].join(', ')}.`);
    return found;
  }
}
