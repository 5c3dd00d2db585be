/**
 * A fact that an aggregate states about itself. A class extends it, names itself with a stable `type`, and
 * carries plain JSON values only (strings, finite numbers, booleans, null, arrays and objects of these).
 *
 * ```ts
 * export class OrderPlaced extends DomainEvent {
 *   static readonly type = 'ordering.order-placed';   // <context>.<what-happened>, never the class name
 *   static readonly schemaVersion = 1;                // raise it when the shape changes, and add an upcaster
 *   constructor(readonly orderId: string) { super(); }
 * }
 * ```
 */
export abstract class DomainEvent {
  declare protected readonly domainEvent: never;
}

/** A payload of one schema version, as the next version has it. Pure: the same payload gives the same result, and is not changed. */
export type Upcaster = (payload: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** The class of a domain event. */
export interface DomainEventClass<E extends DomainEvent = DomainEvent> {
  readonly type: string;
  readonly schemaVersion?: number;
  readonly name: string;
  readonly prototype: E;
  /**
   * How events of older schema versions are read: by each version but the present one, what makes its payload one of the
   * next. `{ 1: ({ cents, ...rest }) => ({ ...rest, total: { amount: cents, currency: 'USD' } }) }` reads version 1 as 2.
   */
  readonly upcasters?: Readonly<Record<number, Upcaster>>;
  /**
   * Makes the event of a payload of the present version, when assigning the fields is not enough: it turns texts into
   * objects and checks what must hold. What it throws sets the event aside for a person.
   */
  revive?(payload: Readonly<Record<string, unknown>>): E;
}

/** `<context>.<what-happened>` in kebab case, for example `ordering.order-placed`. */
export const MESSAGE_TYPE_PATTERN = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
