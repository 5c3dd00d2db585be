import { Injectable, type OnModuleInit } from '@nestjs/common';
import { asSystem } from '@nestbox/kernel';
import { Engine, measureContext, MessageRegistry, Operator } from '@nestbox/messaging';
import { type MetricDefinitions, type MetricsCollector, MetricsRegistry, type Sample } from '@nestbox/ops';

/** What is measured of events on their way. */
export const messagingMetrics = {
  nestbox_log_head: { help: 'Number of the newest event in the log.', labels: ['context'] },
  nestbox_events_unnumbered: { help: 'Committed events that the sequencer has not numbered yet.', labels: ['context'] },
  nestbox_reader_unread_events: { help: 'Events that a reader has not handled; of the reader `relay`: that are not in the stream yet. Missing while their source does not answer.', labels: ['context', 'reader', 'source'] },
  nestbox_reader_oldest_unread_seconds: { help: 'Age of the oldest of these events; 0 when there is none.', labels: ['context', 'reader', 'source'] },
  nestbox_reader_overdue: { help: '1 for a reader whose oldest unread event of `source` is older than READER_ALARM_HOURS. Nothing that it has not read is dropped. Said by the process that has the sequencer of `source`.', labels: ['source', 'reader'] },
  nestbox_retention_blocked: { help: '1 for who or what keeps events that are old enough to be dropped: a reader, `sequencer`, `open transaction`, or a context that does not answer. Said by the process that has the sequencer.', labels: ['context', 'by'] },
  nestbox_trouble_events: { help: 'Events in trouble: `head` is tried again, `dead` waits for a person, `queued` and `throttled` wait behind others.', labels: ['context', 'reader', 'state'] },
  nestbox_partitions: { help: 'Partitions of the outbox and of the log.', labels: ['context', 'table'] },
  nestbox_lanes_owned: { help: 'Lanes that this process handles.', labels: ['reader'] },
} as const satisfies MetricDefinitions;

type MessagingSample = Sample<keyof typeof messagingMetrics>;

/** Measures the events of this process' contexts, for `/metrics`. */
@Injectable()
export class MessagingMetrics implements OnModuleInit, MetricsCollector<typeof messagingMetrics> {
  readonly name = 'messaging';
  readonly definitions = messagingMetrics;

  constructor(
    private readonly metrics: MetricsRegistry,
    private readonly registry: MessageRegistry,
    private readonly engine: Engine,
    private readonly operator: Operator,
  ) {}

  onModuleInit(): void {
    this.metrics.register(this);
  }

  async collect(): Promise<MessagingSample[]> {
    const { readers, retention } = this.engine.state();
    const samples: MessagingSample[] = readers.map(({ name, lanes }) => ({ name: 'nestbox_lanes_owned', labels: { reader: name }, value: lanes.length }));
    for (const { context, overdue, keptBy } of retention) {
      for (const { reader } of overdue) samples.push({ name: 'nestbox_reader_overdue', labels: { source: context, reader }, value: 1 });
      for (const by of keptBy) samples.push({ name: 'nestbox_retention_blocked', labels: { context, by }, value: 1 });
    }
    const contexts = await Promise.all(this.registry.contexts.map(async ({ db }) => [...(await this.ofContext(db)), ...(await this.ofReaders(db.context))]));
    return [...samples, ...contexts.flat()];
  }

  private async ofContext(db: Parameters<typeof measureContext>[0]): Promise<MessagingSample[]> {
    const { context } = db;
    const { head, unnumbered, trouble, partitions } = await measureContext(db);
    return [
      { name: 'nestbox_log_head', labels: { context }, value: head },
      { name: 'nestbox_events_unnumbered', labels: { context }, value: unnumbered },
      ...trouble.map(({ reader, state, events }) => ({ name: 'nestbox_trouble_events', labels: { context, reader, state }, value: events }) as const),
      ...partitions.map(({ table, partitions: value }) => ({ name: 'nestbox_partitions', labels: { context, table }, value }) as const),
    ];
  }

  private async ofReaders(context: string): Promise<MessagingSample[]> {
    // Whoever may read the metrics of this process asks for no more than they show.
    const { items } = await asSystem(() => this.operator.readers(context));
    return items.flatMap(({ reader, source, behind, oldest }) => {
      if (behind === null) return [];
      const labels = { context, reader, source };
      return [
        { name: 'nestbox_reader_unread_events', labels, value: behind },
        { name: 'nestbox_reader_oldest_unread_seconds', labels, value: oldest === null ? 0 : Math.max(0, (Date.now() - Date.parse(oldest)) / 1_000) },
      ] as const;
    });
  }
}
