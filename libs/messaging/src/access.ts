import { currentMessage, DomainError, type ErrorDefinition, grants, PERMISSION_PATTERN, PUBLIC, UsageError } from '@nestbox/kernel';
import type { MessageClass } from './message-types.js';

/** Nobody knows who asks. */
export class NotAuthenticated extends DomainError {
  static readonly definition = {
    code: 'messaging.not-authenticated', kind: 'unauthenticated', title: 'Not authenticated',
    cause: 'What was asked for needs a permission, and the request does not say who asks.',
    cure: 'Send a token of the issuer that the service trusts, as `Authorization: Bearer <token>`.',
  } as const satisfies ErrorDefinition;

  constructor(what: string) {
    super(NotAuthenticated.definition, `${what} is not for everybody. Say who you are: send "Authorization: Bearer <token>".`);
  }
}

/** It is known who asks, and they may not. */
export class PermissionMissing extends DomainError {
  static readonly definition = {
    code: 'messaging.permission-missing', kind: 'forbidden', title: 'Permission missing',
    cause: 'The caller is known, and does not have the permission that `details.permission` names.',
    cure: 'Ask whoever grants permissions; a token has those of the moment when it was issued.',
  } as const satisfies ErrorDefinition;

  constructor(what: string, subject: string, permission: string) {
    super(PermissionMissing.definition, `${what} needs the permission "${permission}", which "${subject}" does not have.`, { permission });
  }
}

/**
 * The one place where it is decided whether a command or query may be done, whichever way it came in: by what its class says,
 * and by who asks. Code that the work calls is in the caller's name, too, unless it runs `asSystem`.
 * @throws NotAuthenticated, PermissionMissing
 */
export function authorize({ type, permission }: MessageClass): void {
  // Whether every class says so is checked at the start; without a name nobody can have it.
  if (permission !== PUBLIC) requirePermission(permission ?? '', `"${type}"`);
}

/**
 * For what is no command or query.
 * @param what is asked for, as the subject of a sentence
 * @throws NotAuthenticated, PermissionMissing
 */
export function requirePermission(permission: string, what: string): void {
  const { identity } = currentMessage() ?? {};
  if (!identity) throw new NotAuthenticated(what);
  if (!grants(identity, permission)) throw new PermissionMissing(what, identity.subject, permission);
}

/** @throws UsageError for a message whose class does not say who may ask for it: what was forgotten must not be open to all */
export function checkPermission({ name, permission }: MessageClass): void {
  const how = "`static readonly permission = '<context>:<what>'`, or PUBLIC from @nestbox/kernel for what everybody may";
  if (permission === undefined) throw new UsageError(`${name} does not say who may ask for it.`, `give the class ${how}.`);
  if (!PERMISSION_PATTERN.test(permission)) throw new UsageError(`${name} asks for the permission "${permission}", which breaks the rule for names.`, `use lower-case letters, digits, - and :, ${how}.`);
}
