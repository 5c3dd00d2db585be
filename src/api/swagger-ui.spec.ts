import { runInNewContext } from 'node:vm';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What the page hands to Swagger UI. */
interface Options {
  requestInterceptor(request: { url: string }): { url: string };
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
    runInNewContext(body, { window, SwaggerUIBundle: bundle, SwaggerUIStandalonePreset: {} });
    window.onload!();
    return new SwaggerUi(options!);
  }

  /** Presses Execute. */
  async execute(app: NestFastifyApplication, method: 'get' | 'post' | 'put', url: string, body: unknown) {
    const request = this.options.requestInterceptor({ url: `http://localhost${url}` });
    const answer = await app.inject({ method, url: request.url, ...(body !== undefined && { payload: body as object }) });
    this.options.responseInterceptor({ status: answer.statusCode, headers: answer.headers });
    return answer;
  }
}
