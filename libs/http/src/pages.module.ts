import { createParamDecorator, type DynamicModule, type ExecutionContext, Injectable, type PipeTransform } from '@nestjs/common';
import { CursorCodec } from './cursor-codec.js';
import { type PageReply, type PageRequest, Pages } from './pages.js';

interface Asked {
  readonly operation: string;
  readonly request: PageRequest;
  readonly reply: PageReply;
}

/** Brings the codec of the application to what only knows its request. */
@Injectable()
class PagesPipe implements PipeTransform<Asked, Pages> {
  constructor(private readonly codec: CursorCodec) {}

  transform({ operation, request, reply }: Asked): Pages {
    return new Pages(this.codec, operation, request, reply);
  }
}

const Exchange = createParamDecorator((operation: string, context: ExecutionContext): Asked => {
  const http = context.switchToHttp();
  return { operation, request: http.getRequest<PageRequest>(), reply: http.getResponse<PageReply>() };
});

/**
 * The {@link Pages} of an operation, as a parameter of its method. Needs the {@link PagesModule}.
 * @param operation its name, in all cursors: when it changes, those that callers still have lead nowhere
 */
export function Paged(operation: string): ParameterDecorator {
  return Exchange(operation, PagesPipe);
}

/** Cursors for every controller of the application. */
export class PagesModule {
  /** @param options `key`: 32 bytes that seal the cursors, the same in all processes behind one load balancer @throws UsageError for another length */
  static forRoot({ key }: { readonly key: Buffer }): DynamicModule {
    return { module: PagesModule, global: true, providers: [{ provide: CursorCodec, useValue: new CursorCodec(key) }], exports: [CursorCodec] };
  }
}
