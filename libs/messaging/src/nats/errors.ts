import type { ErrorDefinition } from '@nestbox/kernel';

/** Why a command or query to another process is refused before its handler, or not answered. */
export const remoteErrors = {
  contextUnavailable: {
    code: 'messaging.context-unavailable', kind: 'unavailable', title: 'Service not available',
    cause: 'No process that has the answer can be reached: none is running, or the connection to the broker is broken. Nothing was changed.',
    cure: 'Try again in a moment.',
  },
  contextTimeout: {
    code: 'messaging.context-timeout', kind: 'timeout', title: 'No answer in time',
    cause: 'The process that has the answer was asked, and did not answer before the time of the request was over.',
    cure: 'Repeat what only reads. Before you repeat a change, look whether it was made.',
  },
  contextOverloaded: {
    code: 'messaging.context-overloaded', kind: 'unavailable', title: 'Service overloaded',
    cause: 'Too many requests wait for the process that has the answer. Nothing was changed.',
    cure: 'Try again later, and less often.',
  },
  unknownMessage: {
    code: 'messaging.unknown-message', kind: 'invalid', title: 'Unknown message',
    cause: 'The process that has the context does not know this command or query.',
    cure: 'Check the name, and that both processes run the same version.',
  },
  invalidMessage: {
    code: 'messaging.invalid-message', kind: 'invalid', title: 'Invalid message',
    cause: 'Fields of a command or query break rules of its class.',
    cure: 'Correct the fields that `details.violations` names; when nothing is wrong with them, let both processes run the same version.',
  },
  untrustedRequest: {
    code: 'messaging.untrusted-request', kind: 'unauthenticated', title: 'Untrusted request',
    cause: 'A request over NATS is not signed by a service of this system, was changed on its way, or is too old.',
    cure: 'Give all services the same `SERVICE_KEY`, and let their clocks agree; clients of your own sign with `RequestSeal`.',
  },
  malformedRequest: {
    code: 'messaging.malformed-request', kind: 'invalid', title: 'Malformed message',
    cause: 'A request over NATS is not JSON of the expected shape.',
    cure: 'Send `{ "pattern", "data", "id" }` as clients of Nest do, or the fields of the command or query alone.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>;
