import { type DynamicModule, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { UsageError } from '@nestbox/kernel';
import { deprecationHeaders } from './deprecation.js';
import type { HttpAdapter } from './http-adapter.js';
import { parametersOf, type RouteAlias } from './route-aliases.js';

const ALIASES = Symbol('nestbox:route-aliases');

/** Adds the aliases when all routes are there, and before the first request. */
@Injectable()
class RouteAliases implements OnModuleInit {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost, @Inject(ALIASES) private readonly aliases: readonly RouteAlias[]) {}

  onModuleInit(): void {
    const { routes } = this.host.httpAdapter as unknown as HttpAdapter;
    const targets = this.aliases.map(({ method, target }) => routes.find(method, target));
    for (const [index, { method, path, target, ...deprecation }] of this.aliases.entries()) {
      const what = `The route alias ${method} ${path}`;
      const route = targets[index];
      if (!route) throw new UsageError(`${what} leads to ${method} ${target}, and there is no such route.`, 'write the path as the API declares it, with its parameters: /v1/orders/:id.');
      if (routes.find(method, path)) throw new UsageError(`${what} is a route, or an alias, already.`, 'leave the alias out, or give it another path.');
      if (parametersOf(path) !== parametersOf(target)) throw new UsageError(`${what} has the parameters (${parametersOf(path)}), and ${target} has (${parametersOf(target)}).`, 'use the same names on both sides.');
      routes.alias(route, method, path, deprecationHeaders(deprecation, what));
    }
  }
}

/** Paths that answer like others, with the headers of a deprecation. @throws UsageError when the application starts, for an alias that leads nowhere or hides a route */
export class RouteAliasesModule {
  static forRoot(aliases: readonly RouteAlias[]): DynamicModule {
    return { module: RouteAliasesModule, providers: [RouteAliases, { provide: ALIASES, useValue: aliases }] };
  }
}
