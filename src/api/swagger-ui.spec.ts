import { runInNewContext } from 'node:vm';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What it sends. */
interface Sent {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** What the page hands to Swagger UI. */
interface Options {
  requestInterceptor(request: Sent): Promise<Sent>;
  responseInterceptor(received: { status: number; headers: object }): unknown;
}

/** Swagger UI as the page of an application sets it up: what is executed there passes its interceptors. */
export class SwaggerUi {
  private constructor(private readonly options: Options) {}

  /** Loads the script of the page, as a browser does. */
  static async open(app: NestFastifyApplication): Promise<SwaggerUi> {
    const { body } = await app.inject('/docs/swagger-ui-init.js');
    let options: Options | undefined;
    const bundle = Object.assign((given: Options) => (options = given), { presets: {}, plugins: {} });
    const window: { location: object; onload?: () => void } = { location: { search: '', origin: 'http://localhost' } };
    const fetch = async (url: string, { method, headers }: { method: 'POST'; headers: Record<string, string> }) => {
      const answer = await app.inject({ method, url, headers });
      return { ok: answer.statusCode === 200, text: async () => answer.body };
    };
    runInNewContext(body, { window, fetch, SwaggerUIBundle: bundle, SwaggerUIStandalonePreset: {} });
    window.onload!();
    return new SwaggerUi(options!);
  }

  /** Presses Execute. */
  async execute(app: NestFastifyApplication, method: 'get' | 'post' | 'put', url: string, body: unknown, headers: Readonly<Record<string, string>>) {
    const request = await this.options.requestInterceptor({ url: `http://localhost${url}`, headers: { ...headers } });
    const answer = await app.inject({ method, url: request.url, headers: request.headers, ...(body !== undefined && { payload: body as object }) });
    this.options.responseInterceptor({ status: answer.statusCode, headers: answer.headers });
    return answer;
  }
}
