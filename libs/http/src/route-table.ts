import type { FastifyInstance, RouteOptions } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';

/**
 * Every route of a server, in a second router of the same kind: Fastify's own one says whether a method has a route, and not which
 * methods have one, nor what is behind it.
 */
export class RouteTable {
  private readonly router = findMyWay();
  private readonly methods = new Set<HTTPMethod>();

  /** Notes the routes that the server gets from now on. */
  constructor(private readonly fastify: FastifyInstance) {
    fastify.addHook('onRoute', (route) => {
      // A route for everything says nothing about any path.
      if (route.url === '*' || route.url === '/*') return;
      for (const method of [route.method].flat() as HTTPMethod[]) {
        this.methods.add(method);
        if (!this.router.hasRoute(method, route.url)) this.router.on(method, route.url, () => undefined, route);
      }
    });
  }

  /** The methods that a URL has routes for; none for a URL without any. */
  allowed(url: string): readonly string[] {
    return [...this.methods].filter((method) => this.router.find(method, url.replace(/[?#].*/s, '')) !== null).toSorted();
  }

  /** The route that was declared with this path: `/v1/orders/:id`. */
  find(method: string, path: string): RouteOptions | undefined {
    return (this.router.findRoute(method as HTTPMethod, path)?.store ?? undefined) as RouteOptions | undefined;
  }

  /** Answers another path as a route does; headers of its answers are set before anything else is done. */
  alias(route: RouteOptions, method: string, path: string, headers: readonly (readonly [name: string, value: string])[]): void {
    const { handler, config, schema, constraints, bodyLimit } = route;
    this.fastify.route({
      method,
      url: path,
      handler,
      ...(config && { config }),
      // Its answers are written by the same schemas.
      ...(schema && { schema }),
      ...(constraints && { constraints }),
      ...(bodyLimit !== undefined && { bodyLimit }),
      onRequest: (_request, reply, done) => {
        for (const [name, value] of headers) void reply.header(name, value);
        done();
      },
    });
  }
}
