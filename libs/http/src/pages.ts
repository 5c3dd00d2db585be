import { applyDecorators, type Type } from '@nestjs/common';
import { ApiOkResponse, ApiProperty } from '@nestjs/swagger';
import { currentMessage } from '@nestbox/kernel';
import type { CursorCodec } from './cursor-codec.js';

/** One page of a list, as a query gives it. */
export interface PlainPage<T> {
  readonly items: T[];
  /** The position after which the next page begins; null on the last one. */
  readonly next: string | null;
}

/** One page of a list, as a caller gets it. */
export interface Page<T> {
  readonly items: T[];
  /** The cursor that leads to the next page; null on the last one. */
  readonly nextCursor: string | null;
}

/** The part of a request's query that pages are made by; all its other fields narrow the list. */
export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

/** The query of a page with a position instead of a cursor. */
export type PositionOf<Q extends PageQuery> = Omit<Q, 'cursor'> & { readonly after?: string };

/** What a page is asked with, as far as links are concerned. */
export interface PageRequest {
  readonly url: string;
}

/** What a page is answered with. */
export interface PageReply {
  getHeader(name: string): unknown;
  header(name: string, value: string): unknown;
}

/** Class of the pages of a list: `class OrderPage extends PageOf(OrderView) {}`. */
export function PageOf<T>(item: Type<T>): Type<Page<T>> {
  class PageOfItems implements Page<T> {
    @ApiProperty({ type: () => item, isArray: true })
    readonly items!: T[];

    @ApiProperty({ type: String, nullable: true, description: 'The `cursor` of the next page, with the same filters; null on the last one.' })
    readonly nextCursor!: string | null;
  }
  return PageOfItems;
}

/** Documents that an operation answers a page, and its links. */
export function ApiPage(page: { readonly description: string; readonly type: Type }): MethodDecorator {
  const description = 'Where the next page is, unless this is the last one (`rel="next"`), and the first one, unless this is it (`rel="first"`): RFC 8288.';
  const example = '</v1/things?limit=50&cursor=AQ>; rel="next", </v1/things?limit=50>; rel="first"';
  return applyDecorators(ApiOkResponse({ ...page, headers: { Link: { description, schema: { type: 'string', example } } } }));
}

/** The pages of one list, for one request. */
export class Pages {
  constructor(
    private readonly codec: CursorCodec,
    private readonly operation: string,
    private readonly request: PageRequest,
    private readonly reply: PageReply,
  ) {}

  /**
   * Answers one page, with links to the next and the first one.
   * @param query the query of the request, validated
   * @param read gives the page after a position; the first one without
   * @throws InvalidCursor, or what `read` throws
   */
  async answer<Q extends PageQuery, T>(query: Q, read: (query: PositionOf<Q>) => Promise<PlainPage<T>>): Promise<Page<T>> {
    const { cursor, ...rest } = query;
    const { limit: _limit, ...filter } = rest;
    const scope = { operation: this.operation, tenantId: currentMessage()?.tenantId ?? '', filter };
    const { items, next } = await read({ ...rest, ...(cursor !== undefined && { after: this.codec.open(scope, cursor) }) });
    const nextCursor = next === null ? null : this.codec.seal(scope, next);
    this.link(cursor !== undefined, nextCursor);
    return { items, nextCursor };
  }

  private link(hasFirst: boolean, nextCursor: string | null): void {
    const links = [...(nextCursor === null ? [] : [`<${this.urlOf(nextCursor)}>; rel="next"`]), ...(hasFirst ? [`<${this.urlOf(null)}>; rel="first"`] : [])];
    if (links.length === 0) return;
    // There may be one already: to the documentation of what is deprecated.
    const before = this.reply.getHeader('link');
    this.reply.header('link', [...(before === undefined ? [] : [String(before)]), ...links].join(', '));
  }

  /** The request's own path and query, as its caller wrote them, with another cursor. */
  private urlOf(cursor: string | null): string {
    const { pathname, searchParams } = new URL(this.request.url, 'http://localhost');
    searchParams.delete('cursor');
    if (cursor !== null) searchParams.set('cursor', cursor);
    return searchParams.size === 0 ? pathname : `${pathname}?${searchParams}`;
  }
}
