import { HttpException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/** What one client may take of the server. */
export interface ConnectionLimits {
  /** How long a client may take to send a request, its headers and its body, in ms: 408 then. */
  readonly receiveTimeoutMs: number;
  /** How long a connection may be silent between two requests, in ms. Longer than that of a load balancer in front: else it sends into connections that are just being closed. */
  readonly keepAliveTimeoutMs: number;
  /** How long nothing may move on a connection while a request is at work, in ms. Cuts off who does not read the answer; longer than any request takes. */
  readonly idleTimeoutMs: number;
  /** Requests after which a client is asked to connect anew (`connection: close`), so that clients spread over new instances. 0: never. */
  readonly requestsPerConnection: number;
  /** All headers of a request together, with its first line: 431 then. */
  readonly headerLimitBytes: number;
  /** Headers of a request: 431 then. */
  readonly headerLimitCount: number;
  /** Connections at a time; more are closed at once. 0: as many as there are files for. */
  readonly maxConnections: number;
}

export const defaultLimits: ConnectionLimits = {
  receiveTimeoutMs: 30_000,
  keepAliveTimeoutMs: 72_000,
  idleTimeoutMs: 120_000,
  requestsPerConnection: 10_000,
  headerLimitBytes: 16_384,
  headerLimitCount: 100,
  maxConnections: 0,
};

/** So often Node looks for clients that are too slow, in ms; its default is half a minute. */
const CHECK_MS = 1_000;

/** The limits as options of Fastify and of Node's server below. */
export function limitOptions({ receiveTimeoutMs, keepAliveTimeoutMs, idleTimeoutMs, requestsPerConnection, headerLimitBytes }: ConnectionLimits) {
  return {
    requestTimeout: receiveTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionTimeout: idleTimeoutMs,
    maxRequestsPerSocket: requestsPerConnection,
    http: { maxHeaderSize: headerLimitBytes, requestTimeout: receiveTimeoutMs, headersTimeout: receiveTimeoutMs, connectionsCheckingInterval: Math.min(CHECK_MS, receiveTimeoutMs) },
  };
}

/** Applies the limits that are no options. */
export function limitConnections(fastify: FastifyInstance, { headerLimitCount, maxConnections }: ConnectionLimits): void {
  if (maxConnections > 0) fastify.server.maxConnections = maxConnections;
  // Older versions of Node leave out what is above their limit, and say nothing. One more is let in, to be seen here.
  fastify.server.maxHeadersCount = headerLimitCount + 1;
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.rawHeaders.length / 2 <= headerLimitCount) done();
    else done(new HttpException(`The request has more than ${headerLimitCount} headers. Send fewer.`, 431));
  });
}
