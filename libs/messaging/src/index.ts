export { type ContextDefinition, ContextModule, type ProjectionDefinition } from './context-module.js';
export { Engine, type EngineState } from './engine.js';
export type { EventHeaders, SourcedEvent, StoredEvent, StreamHint } from './envelope.js';
export { LANES, laneOf } from './lanes.js';
export { messagingTables } from './messaging-tables.js';
export { MessagingModule, type MessagingOptions } from './messaging.module.js';
export { MessageRegistry } from './registry.js';
export { messagingSettings } from './settings.js';
export { type Entrypoint, InvalidTopology, loadTopology, readTopology, type ServiceTopology } from './topology.js';
