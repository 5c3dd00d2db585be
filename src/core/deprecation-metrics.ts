import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HttpAdapter } from '@nestbox/http';
import { type MetricDefinitions, type MetricsCollector, MetricsRegistry, type Sample } from '@nestbox/ops';

/** Who still uses what is to go. */
export const deprecationMetrics = {
  nestbox_deprecated_requests: { help: 'Requests of a deprecated operation or path that this process has answered since its start.', labels: ['method', 'route'] },
} as const satisfies MetricDefinitions;

/** Counts the answers that tell their callers of a deprecation, for `/metrics`. */
@Injectable()
export class DeprecationMetrics implements OnModuleInit, MetricsCollector<typeof deprecationMetrics> {
  readonly name = 'deprecation';
  readonly definitions = deprecationMetrics;
  private readonly counts = new Map<string, number>();

  constructor(private readonly metrics: MetricsRegistry, @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    this.metrics.register(this);
    (this.host.httpAdapter as unknown as HttpAdapter).getInstance().addHook('onResponse', (request, reply, done) => {
      const { method, routeOptions: { url: route } } = request;
      if (reply.hasHeader('deprecation')) this.counts.set(`${method} ${route}`, (this.counts.get(`${method} ${route}`) ?? 0) + 1);
      done();
    });
  }

  async collect(): Promise<Sample<keyof typeof deprecationMetrics>[]> {
    return [...this.counts].map(([operation, value]) => {
      const [method, route] = operation.split(' ') as [string, string];
      return { name: 'nestbox_deprecated_requests', labels: { method, route }, value };
    });
  }
}
