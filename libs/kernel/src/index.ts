export { Aggregate, EventRaisedOutsideUnitOfWork, withRecorder, type EventRecorder } from './aggregate.js';
export { Clock, SystemClock } from './clock.js';
export { DomainEvent, MESSAGE_TYPE_PATTERN, type DomainEventClass } from './domain-event.js';
export { DomainError, UsageError, type ErrorKind } from './errors.js';
export { uuidv7 } from './ids.js';
export { currentMessage, withMessage, type MessageContext } from './message-context.js';
export { Money, type MoneyJson } from './money.js';
export type { SettingDefinition, SettingDefinitions, SettingValues } from './settings.js';
