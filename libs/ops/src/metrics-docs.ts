import type { MetricDefinitions } from './metrics.registry.js';

/** The reference of all metrics as Markdown. */
export function metricsMarkdown(definitions: MetricDefinitions): string {
  const rows = Object.entries(definitions).map(([name, { help, labels }]) => `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`);
  return `# Metrics

Generated from the definitions in the code by \`npm run docs\`; do not edit.

Every process answers \`GET /metrics\` in the text format of Prometheus: what Node says about itself (\`process_*\`,
\`nodejs_*\`), and the gauges below. They are measured at every scrape, with a few statements per context. Processes that
run the same context say the same of it: take the maximum, not the sum.

| name | labels | meaning |
|---|---|---|
${rows.join('\n')}
`;
}
