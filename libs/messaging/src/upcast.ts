import { type DomainEventClass, UsageError } from '@nestbox/kernel';

/**
 * A stored payload as the present version of its class has it: every upcaster from its version on, one after the other.
 * @throws what an upcaster throws; TypeError when one is missing or gives back no object
 */
export function upcast(type: DomainEventClass, payload: Readonly<Record<string, unknown>>, schemaVersion: number): Readonly<Record<string, unknown>> {
  const present = type.schemaVersion ?? 1;
  if (schemaVersion >= present) return payload;
  // The next handler gets the same stored event: an upcaster that is not pure must not reach it.
  let upcasted: Record<string, unknown> = structuredClone(payload) as Record<string, unknown>;
  for (let version = schemaVersion; version < present; version++) {
    const upcaster = type.upcasters?.[version];
    if (!upcaster) throw new TypeError(`${type.name} has no upcaster for version ${version}`);
    upcasted = upcaster(upcasted);
    if (typeof upcasted !== 'object' || upcasted === null || Array.isArray(upcasted)) throw new TypeError(`the upcaster of ${type.name} for version ${version} gave back no object`);
  }
  return upcasted;
}

/** @throws UsageError when an event class cannot read every version of itself, or has upcasters that nothing would use */
export function checkUpcasters(type: DomainEventClass): void {
  const { name, schemaVersion = 1, upcasters = {} } = type;
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1) throw new UsageError(`${name} has schemaVersion ${schemaVersion}.`, 'a schema version is a whole number, 1 or more.');
  for (let version = 1; version < schemaVersion; version++) {
    if (upcasters[version]) continue;
    throw new UsageError(
      `${name}: schemaVersion is ${schemaVersion}, but there is no upcaster from ${version}.`,
      `add \`${version}: (payload) => …\` to its \`static readonly upcasters\`, which makes a payload of version ${version} one of version ${version + 1}: stored events of that version are read for ever.`,
    );
  }
  const idle = Object.keys(upcasters).find((version) => !(Number(version) >= 1 && Number(version) < schemaVersion));
  if (idle !== undefined) throw new UsageError(`${name} has an upcaster from ${idle}, but schemaVersion is ${schemaVersion}.`, `raise schemaVersion to ${Number(idle) + 1}, or remove the upcaster.`);
}
