import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AsyncApiDocument } from '@nestbox/kernel';
import { asyncApiPage } from './page.js';

/** Serves a page about the messages at `/asyncapi` and the document at `/asyncapi.json`, everything from this process. Both are made when the first asks. */
export function serveAsyncApi(app: NestFastifyApplication, makeDocument: () => AsyncApiDocument): void {
  let made: { readonly document: AsyncApiDocument; readonly page: string } | undefined;
  const answers = () => {
    if (made) return made;
    const document = makeDocument();
    return (made = { document, page: asyncApiPage(document) });
  };
  const server = app.getHttpAdapter().getInstance();
  server.get('/asyncapi', (_request, reply) => reply.type('text/html; charset=utf-8').send(answers().page));
  server.get('/asyncapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(answers().document));
}
