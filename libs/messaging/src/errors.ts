import { definitionOf } from '@nestbox/kernel';
import { NotAuthenticated, PermissionMissing } from './access.js';
import { IdempotencyKeyReused, RequestInProgress } from './idempotency.js';
import { remoteErrors } from './nats/errors.js';
import { operationsErrors } from './operations/errors.js';

/** Every refusal of this library. */
export const messagingErrors = [definitionOf(IdempotencyKeyReused), definitionOf(RequestInProgress), definitionOf(NotAuthenticated), definitionOf(PermissionMissing), ...Object.values(remoteErrors), ...Object.values(operationsErrors)];
