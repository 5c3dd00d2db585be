import { type MetricDefinitions, ownMetrics } from '@nestbox/ops';
import { deprecationMetrics } from './deprecation-metrics.js';
import { messagingMetrics } from './messaging-metrics.js';

/** Every metric of the application, as the documentation lists them. */
export const metrics: MetricDefinitions = { ...messagingMetrics, ...deprecationMetrics, ...ownMetrics };
