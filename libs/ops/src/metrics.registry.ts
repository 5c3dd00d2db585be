import { Injectable, Logger } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What a metric says, as documentation and as `# HELP`. */
export interface MetricDefinition {
  /** What is counted or measured, with its unit. */
  readonly help: string;
  readonly labels: readonly string[];
}

/** Definitions by the full name of the metric. */
export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

/** A value of a metric, with a value for each of its labels. */
export interface Sample<Name extends string = string> {
  readonly name: Name;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Measures metrics that belong together, at every scrape. */
export interface MetricsCollector<D extends MetricDefinitions = MetricDefinitions> {
  /** Kebab case; unique in the process. */
  readonly name: string;
  readonly definitions: D;
  /** What is not among the samples is gone: a reader that was forgotten, a state that no event is in. */
  collect(): Promise<readonly Sample<keyof D & string>[]>;
}

/** 1 when the last measurement of a collector succeeded. */
const UP = 'nestbox_collector_up';

export const ownMetrics: MetricDefinitions = {
  [UP]: { help: '1 if what a collector measures could be measured at this scrape, else 0: its other metrics are missing then.', labels: ['collector'] },
};

/** What `/metrics` says. Libraries know nothing of it; the application registers collectors for them. */
@Injectable()
export class MetricsRegistry {
  private readonly logger = new Logger('metrics');
  private readonly registry = new Registry();
  private readonly collectors: MetricsCollector[] = [];
  private readonly gauges = new Map<string, Gauge>();
  private scrape: Promise<string> | undefined;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.define(ownMetrics);
  }

  register(collector: MetricsCollector): void {
    this.define(collector.definitions);
    this.collectors.push(collector);
  }

  /** Everything, measured now, in the text format of Prometheus. Scrapes at the same time share one measurement. */
  text(): Promise<string> {
    this.scrape ??= this.measure().finally(() => {
      this.scrape = undefined;
    });
    return this.scrape;
  }

  private define(definitions: MetricDefinitions): void {
    for (const [name, { help, labels }] of Object.entries(definitions)) this.gauges.set(name, new Gauge({ name, help, labelNames: [...labels], registers: [this.registry] }));
  }

  private async measure(): Promise<string> {
    const measured = await Promise.allSettled(this.collectors.map(async (collector) => collector.collect()));
    for (const [index, result] of measured.entries()) {
      const { name: collector, definitions } = this.collectors[index]!;
      for (const name of Object.keys(definitions)) this.gauges.get(name)!.reset();
      this.gauges.get(UP)!.set({ collector }, result.status === 'fulfilled' ? 1 : 0);
      if (result.status === 'rejected') this.logger.warn(`${collector} could not be measured: ${(result.reason as Error).message}`);
      else for (const { name, labels = {}, value } of result.value) this.gauges.get(name)!.set(labels, value);
    }
    return this.registry.metrics();
  }
}
