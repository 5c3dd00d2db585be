import { createRequire } from 'node:module';
import { type TransformFnParams, TransformationType, type TypeHelpOptions } from 'class-transformer';
import { getMetadataStorage, type ValidatorConstraintInterface } from 'class-validator';

/*
 * Nearly every request is as it should be. class-transformer and class-validator look their rules up again for each value of each
 * request; here the same rules are gathered once for each class. Whatever they do beyond that, and all that they refuse, is theirs.
 */

type Class = new () => object;
type Values = Record<string, unknown>;

/** What one field of a class asks for. */
interface Field {
  readonly name: string;
  /** Of the objects in it, or in its list. Undefined: it holds neither objects nor lists. */
  readonly shape?: Shape | undefined;
  readonly transforms: readonly ((params: TransformFnParams) => unknown)[];
  /** Unless they all hold, no rule is looked at. */
  readonly conditions: readonly ((object: object, value: unknown) => unknown)[];
  readonly rules: readonly Rule[];
  /** Whether the rules of the objects in it hold, too. */
  readonly isChecked: boolean;
}

interface Rule {
  readonly validator: ValidatorConstraintInterface;
  readonly constraints: unknown[];
}

/** What a class asks for. */
interface Shape {
  readonly type: Class;
  readonly fields: ReadonlyMap<string, Field>;
}

/** The rules of class-transformer, which its package does not export; Nest reads them in the same way. */
interface TransformRules {
  findTypeMetadata(type: Class, field: string): { readonly typeFunction?: (help?: TypeHelpOptions) => Class; readonly reflectedType?: unknown; readonly options?: { readonly discriminator?: object } } | undefined;
  findTransformMetadatas(type: Class, field: string, direction: TransformationType): readonly { readonly transformFn: (params: TransformFnParams) => unknown; readonly options?: { readonly groups?: readonly string[] } }[];
  getExposedMetadatas(type: Class): readonly unknown[];
  getExcludedMetadatas(type: Class): readonly unknown[];
  getStrategy(type: Class): string;
}

const load = createRequire(import.meta.url);
const { defaultMetadataStorage: transformRules } = load('class-transformer/cjs/storage') as { readonly defaultMetadataStorage: TransformRules };
const { defaultOptions } = load('class-transformer/cjs/constants/default-options.constant') as { readonly defaultOptions: TransformFnParams['options'] };

const [RULE, NESTED, CONDITION, KNOWN] = ['customValidation', 'nestedValidation', 'conditionalValidation', 'whitelistValidation'];

const shapes = new Map<unknown, Shape | undefined>();

/**
 * The object of the class that class-transformer would make of `given`, if class-validator would accept it, unknown fields
 * forbidden. Undefined when that is not certain: then it is for them to say, and to say what is wrong.
 */
export function accept(type: unknown, given: unknown): object | undefined {
  if (!shapes.has(type)) shapes.set(type, isClass(type) ? shapeOf(type, []) : undefined);
  const shape = shapes.get(type);
  const object = shape && build(shape, given);
  return object && holds(shape, object) ? object : undefined;
}

function isClass(type: unknown): type is Class {
  return typeof type === 'function' && typeof type.prototype === 'object';
}

/** All objects are made before any rule is looked at: a rule may ask for the others. */
function build({ type, fields }: Shape, given: unknown): Values | undefined {
  if (!isPlain(given)) return undefined;
  const built = new type() as Values;
  for (const name of Object.keys(given)) {
    const field = fields.get(name);
    if (!field) return undefined;
    let value = given[name];
    if (typeof value === 'object' && value !== null) {
      value = field.shape && (Array.isArray(value) ? buildAll(field.shape, value) : build(field.shape, value));
      if (value === undefined) return undefined;
    } else if (field.shape && value !== undefined) return undefined;
    for (const transform of field.transforms) value = transform({ value, key: name, obj: given, type: TransformationType.PLAIN_TO_CLASS, options: defaultOptions });
    built[name] = value;
  }
  return built;
}

function buildAll(shape: Shape, given: readonly unknown[]): object[] | undefined {
  const all: object[] = [];
  for (const item of given) {
    const built = build(shape, item);
    if (!built) return undefined;
    all.push(built);
  }
  return all;
}

/** As it is read from JSON or from a URL: an object of no class. */
function isPlain(given: unknown): given is Values {
  if (typeof given !== 'object' || given === null) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function holds({ type, fields }: Shape, object: object): boolean {
  for (const { name: property, shape, conditions, rules, isChecked } of fields.values()) {
    const value = (object as Values)[property];
    if (!conditions.every((condition) => condition(object, value))) continue;
    for (const { validator, constraints } of rules) if (validator.validate(value, { targetName: type.name, property, object, value, constraints }) !== true) return false;
    if (!isChecked || value === undefined) continue;
    for (const inner of Array.isArray(value) ? (value as object[]) : [value as object]) if (!holds(shape!, inner)) return false;
  }
  return true;
}

/**
 * The rules of a class; undefined for one that has none, or asks for anything that is not known here.
 * @param around the classes that it is a part of
 */
function shapeOf(type: Class, around: readonly Class[]): Shape | undefined {
  const known = getMetadataStorage().getTargetValidationMetadatas(type, type.name, false, false);
  if (known.length === 0 || around.includes(type)) return undefined;
  if (transformRules.getStrategy(type) !== 'none' || transformRules.getExposedMetadatas(type).length > 0 || transformRules.getExcludedMetadatas(type).length > 0) return undefined;
  if (Object.values(new type()).some((initial) => initial !== undefined)) return undefined;
  const fields = new Map<string, Field>();
  for (const name of new Set(known.map(({ propertyName }) => propertyName))) {
    const field = name in type.prototype ? undefined : fieldOf(type, name, known.filter(({ propertyName }) => propertyName === name), [...around, type]);
    if (!field) return undefined;
    fields.set(name, field);
  }
  return { type, fields };
}

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

function fieldOf(type: Class, name: string, known: readonly Metadata[], around: readonly Class[]): Field | undefined {
  if (known.some(({ type: kind, groups, validateIf, each }) => ![RULE, NESTED, CONDITION, KNOWN].includes(kind) || groups?.length > 0 || validateIf !== undefined || (each && kind !== NESTED))) return undefined;
  const of = (kind: string | undefined) => known.filter((metadata) => metadata.type === kind);
  const transforms = transformRules.findTransformMetadatas(type, name, TransformationType.PLAIN_TO_CLASS);
  const typed = transformRules.findTypeMetadata(type, name);
  const shape = typed && shapeIn(typed, around);
  const isChecked = of(NESTED).length > 0;
  // What a transformation makes of an object is anybody's guess, and so is how an object without a class is checked.
  if ((typed || isChecked) && (!shape || transforms.length > 0)) return undefined;
  if (transforms.some(({ options }) => options?.groups?.length)) return undefined;
  const constraints = of(RULE).map((metadata) => ({ metadata, found: getMetadataStorage().getTargetValidatorConstraints(metadata.constraintCls) }));
  if (constraints.some(({ found }) => found.length === 0 || found.some((constraint) => constraint.async))) return undefined;
  return {
    name, shape, isChecked,
    transforms: transforms.map(({ transformFn }) => transformFn),
    conditions: of(CONDITION).map((metadata) => metadata.constraints[0] as Field['conditions'][number]),
    rules: constraints.flatMap(({ metadata, found }) => found.map(({ instance }) => ({ validator: instance, constraints: metadata.constraints as unknown[] }))),
  };
}

/** Of the class that a field is declared to hold; not of one that depends on the value. */
function shapeIn({ typeFunction, reflectedType, options }: NonNullable<ReturnType<TransformRules['findTypeMetadata']>>, around: readonly Class[]): Shape | undefined {
  if (!typeFunction || typeFunction.length > 0 || options?.discriminator || [Map, Set].some((kind) => kind === reflectedType)) return undefined;
  const inner: unknown = typeFunction();
  return isClass(inner) ? shapeOf(inner, around) : undefined;
}
