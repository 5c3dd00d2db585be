/**
 * A fact that an aggregate states about itself. A class extends it, names itself with a stable `type`, and
 * carries plain JSON values only (strings, finite numbers, booleans, null, arrays and objects of these).
 *
 * ```ts
 * export class OrderPlaced extends DomainEvent {
 *   static readonly type = 'ordering.order-placed';   // <context>.<what-happened>, never the class name
 *   static readonly schemaVersion = 1;                // raise it when the shape changes
 *   constructor(readonly orderId: string) { super(); }
 * }
 * ```
 */
export abstract class DomainEvent {
  declare protected readonly domainEvent: never;
}

/** The class of a domain event. */
export interface DomainEventClass<E extends DomainEvent = DomainEvent> {
  readonly type: string;
  readonly schemaVersion?: number;
  readonly name: string;
  readonly prototype: E;
}

/** `<context>.<what-happened>` in kebab case, for example `ordering.order-placed`. */
export const MESSAGE_TYPE_PATTERN = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
