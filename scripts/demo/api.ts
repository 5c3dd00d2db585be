/** An answer of the API. */
export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** An answer that nobody expected; the message has the problem that the API reported. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

/** The first and the longest pause between attempts, in ms; with jitter, so that callers do not come back all at once. */
const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;
/** How long one attempt may take, in ms: longer than the server's own deadline, which gives the better answer. */
const ATTEMPT_TIMEOUT = 20_000;

/** The HTTP API as a patient client uses it: what is not available at the moment is asked again. */
export class Api {
  readonly url: string;
  private readonly patienceMs: number;
  private token: string | undefined;
  /** How often an attempt failed and was made again. */
  retries = 0;

  /**
   * @param patienceMs how long a request may fail until that is an error
   * @param token of the issuer that the service believes. Default: one for development, from the service itself
   */
  constructor(url: string, patienceMs: number, token?: string) {
    this.url = url.replace(/\/+$/, '');
    this.patienceMs = patienceMs;
    this.token = token;
  }

  /** @throws UnexpectedAnswer for any status that is not in `expected` */
  async get<T>(path: string): Promise<T> {
    const { body } = await this.request<T>('GET', path, undefined, [200]);
    return body;
  }

  /**
   * Posts until there is an answer. An attempt without one may have been carried out all the same: repeat only what may
   * be repeated.
   * @throws UnexpectedAnswer for any status that is not in `expected`
   */
  post<T>(path: string, body: unknown, expected: readonly number[]): Promise<Answer<T>> {
    return this.request<T>('POST', path, body, expected);
  }

  /** Does something that may fail for a while, again and again. */
  async patiently<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    for (let pause = SHORTEST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof NotNow) || performance.now() - started > this.patienceMs) throw error;
        this.retries += 1;
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
      }
    }
  }

  /** One attempt. @throws NotNow, UnexpectedAnswer */
  async once<T>(method: string, path: string, body: unknown, expected: readonly number[]): Promise<Answer<T>> {
    this.token ??= await this.developerToken();
    const { status, text } = await this.fetch(method, path, body);
    if (expected.includes(status)) return { status, body: JSON.parse(text) as T };
    const what = `${method} ${this.url}${path} answered ${status}: ${detailOf(text)}`;
    // 502 and 504 are what a proxy in front says when the service behind it is away.
    if ([502, 503, 504].includes(status)) throw new NotNow(what);
    throw new UnexpectedAnswer(what);
  }

  private request<T>(method: string, path: string, body: unknown, expected: readonly number[]): Promise<Answer<T>> {
    return this.patiently(() => this.once<T>(method, path, body, expected));
  }

  private async developerToken(): Promise<string> {
    const { status, text } = await this.fetch('POST', '/dev/token', {});
    if (status === 200) return (JSON.parse(text) as { access_token: string }).access_token;
    if (status === 404) throw new UnexpectedAnswer(`${this.url} issues no tokens for development. Set TOKEN to one of its issuer, with the permissions of ordering, inventory, billing and reporting.`);
    throw new NotNow(`${this.url}/dev/token answered ${status}: ${detailOf(text)}`);
  }

  private async fetch(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(this.url + path, {
        method,
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT),
        headers: { ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const { message, cause } = error as Error;
      throw new NotNow(`${method} ${this.url}${path} got no answer: ${cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message}`);
    }
  }
}

/** It did not work, and may later. */
class NotNow extends Error {
  override readonly name = 'NotNow';
}

function detailOf(text: string): string {
  try {
    const problem = JSON.parse(text) as { detail?: string };
    return problem.detail ?? text;
  } catch {
    return text.slice(0, 200);
  }
}
