import { brokerScenarios } from './broker-scenarios.ts';
import { databaseScenarios } from './database-scenarios.ts';
import type { Scenario } from './life.ts';
import { operatingScenarios } from './operating-scenarios.ts';
import { ownerScenarios } from './owner-scenarios.ts';
import { workScenarios } from './work-scenarios.ts';

/** What makes the application pass its crash points, the cheap first: a point is killed at in the first one that reaches it. */
export const scenarios: readonly Scenario[] = [...workScenarios, ...operatingScenarios, ...databaseScenarios, ...brokerScenarios, ...ownerScenarios];
