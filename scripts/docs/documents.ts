import type { OpenAPIObject } from '@nestjs/swagger';
import type { AsyncApiDocument } from '@nestbox/kernel';
import { type MetricDefinitions, metricsMarkdown, type SettingSection, settingsEnvExample, settingsMarkdown } from '@nestbox/ops';
import type { Contract } from '../contracts/contract.ts';
import { contractFiles } from '../contracts/golden-contracts.ts';
import { dependenciesMarkdown } from './dependencies.ts';
import { reasons } from './reasons.ts';

/** Every generated document: its path in the project, and its text. */
export function documents(sections: readonly SettingSection[], metrics: MetricDefinitions, messages: AsyncApiDocument, api: OpenAPIObject, contracts: readonly Contract[]): ReadonlyMap<string, string> {
  return new Map([
    ['.env.example', settingsEnvExample(sections)],
    ['docs/asyncapi.json', `${JSON.stringify(messages, undefined, 2)}\n`],
    ['docs/openapi.json', `${JSON.stringify(api, undefined, 2)}\n`],
    ...contractFiles(contracts),
    ['docs/configuration.md', settingsMarkdown(sections)],
    ['docs/dependencies.md', dependenciesMarkdown(reasons)],
    ['docs/metrics.md', metricsMarkdown(metrics)],
  ]);
}
