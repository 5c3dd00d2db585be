/** What Swagger UI is about to send. */
interface Request {
  url: string;
  readonly headers: Record<string, string>;
}

/** What it has got. */
interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The page that Swagger UI runs in. */
interface Page {
  /** The newest id that each path has got by a `Location`. */
  created?: Record<string, string>;
  /** What the service issues for development; empty when it issues none. */
  token?: string;
}

/**
 * How Swagger UI sends what somebody tries: with a token of the service itself when there is a {@link DevIssuerModule} and nobody has
 * given another. The id of a thing that the server names cannot be an example beforehand: in the path, the
 * example of a UUID stands for the newest thing that was created there. Both functions are sent to the browser as text, so that they
 * know nothing around them.
 */
export const tryOut = {
  tryItOutEnabled: true,
  responseInterceptor: (received: Received): Received => {
    const page = globalThis as Page;
    const end = received.headers?.['location']?.lastIndexOf('/') ?? -1;
    if (received.status === 201 && end >= 0) {
      const { location } = received.headers as { readonly location: string };
      page.created = { ...page.created, [location.slice(0, end + 1)]: location.slice(end + 1) };
    }
    return received;
  },
  requestInterceptor: async (request: Request): Promise<Request> => {
    const page = globalThis as Page;
    for (const [path, id] of Object.entries(page.created ?? {})) request.url = request.url.replace(`${path}019acf5e-7c00-7000-8000-000000000000`, path + id);
    if (request.headers['Authorization'] || request.url.endsWith('/dev/token')) return request;
    if (page.token === undefined) {
      const answer = await fetch('/dev/token', { method: 'POST', headers: { accept: 'text/plain' } });
      page.token = answer.ok ? await answer.text() : '';
    }
    if (page.token) request.headers['Authorization'] = `Bearer ${page.token}`;
    return request;
  },
};
