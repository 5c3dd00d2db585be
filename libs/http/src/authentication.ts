import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '@nestbox/kernel';
import { httpProblems } from './http-problems.js';
import { enrichMessage } from './message-context.js';
import { HttpRefusal } from './problem.js';

/** Who has sent a request, and whose data it is about. */
export interface Caller {
  readonly identity: Identity;
  /** Unset: the tenant of callers that nobody knows. */
  readonly tenantId?: string;
}

/**
 * Finds out who a bearer token stands for; undefined for a token of another kind, which the next one may know.
 * @throws HttpRefusal for a token of its kind that is not good
 */
export type TokenReader = (token: string) => Promise<Caller | undefined> | Caller | undefined;

/** Source: RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

const refusals = new WeakMap<FastifyRequest, Error>();

/**
 * Finds out who calls. A good token is the identity, and the tenant, of all work for the request. What may be done without one is
 * decided later, where it is known what is asked for; a bad one is refused by {@link refuseBadTokens}.
 * @param readers one for each kind of token; the first that knows a token decides
 */
export function identifyCallers(fastify: FastifyInstance, readers: readonly TokenReader[]): void {
  addInOrder(fastify, (request, _reply, done) => {
    if (request.headers.authorization === undefined) return done();
    const refuse = (error: Error) => {
      refusals.set(request, error);
      done();
    };
    const accept = (caller: Caller) => enrichMessage(request.raw, caller, done);
    let caller: Promise<Caller> | Caller;
    try {
      caller = readCaller(request.headers, readers);
    } catch (error) {
      return refuse(error as Error);
    }
    if (caller instanceof Promise) caller.then(accept, refuse);
    else accept(caller);
  });
}

/** Refuses who has sent a bad token: after the rate limit, which counts them as well. */
export function refuseBadTokens(fastify: FastifyInstance): void {
  addInOrder(fastify, (request, _reply, done) => done(refusals.get(request)));
}

/** Adds a hook to every request: as a plugin, so that it comes after what was registered before. */
export function addInOrder(fastify: FastifyInstance, hook: (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void): void {
  const plugin: FastifyPluginCallback = (instance, _options, loaded) => {
    instance.addHook('onRequest', hook);
    loaded();
  };
  void fastify.register(Object.assign(plugin, { [Symbol.for('skip-override')]: true }));
}

/** @throws HttpRefusal `http.invalid-token` for an Authorization that no reader knows, or that one refuses */
function readCaller({ authorization }: IncomingHttpHeaders, readers: readonly TokenReader[]): Promise<Caller> | Caller {
  const token = BEARER.exec(authorization ?? '')?.[1];
  if (token === undefined) throw invalidToken('The header Authorization must be "Bearer <token>".');
  return ask(token, readers);
}

/** Without a promise, which every request would wait for, when the readers have none. */
function ask(token: string, [read, ...others]: readonly TokenReader[]): Promise<Caller> | Caller {
  if (!read) throw invalidToken('The bearer token is of no kind that this service knows.');
  const caller = read(token);
  if (caller instanceof Promise) return caller.then((found) => found ?? ask(token, others));
  return caller ?? ask(token, others);
}

/** @param detail what is wrong with a token, for whoever has sent it */
export function invalidToken(detail: string): HttpRefusal {
  return new HttpRefusal(httpProblems.invalidToken, detail);
}
