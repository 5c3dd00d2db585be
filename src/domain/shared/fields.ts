import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions, ApiSchema } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsIn, isISO8601, IsUUID, Matches, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';

/*
 * Kinds of fields that several contexts have in common. Each carries its validation and its OpenAPI description
 * together, so that a rule is written once and the document cannot say anything else than what is checked.
 */

type Describe = Pick<ApiPropertyOptions, 'description' | 'example'>;

/** Largest whole number that JSON clients read exactly. */
const LARGEST = Number.MAX_SAFE_INTEGER;
/** What an id that callers choose looks like. */
const IDENTIFIER = /^[A-Za-z0-9._-]{1,64}$/;
/** With a zone and a year of four digits, as RFC 3339 has it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const CURRENCY = /^[A-Z]{3}$/;
/** As text: `Number` would read blanks and hexadecimal digits, too. */
const WHOLE_NUMBER = /^-?(0|[1-9]\d{0,15})$/;
const CURSOR = /^[A-Za-z0-9_-]{1,200}$/;
/** Something visible, and nothing that cannot be shown or stored: no control characters, no half characters. */
const PRINTABLE = /^(?=.*\S)[^\p{Cc}\p{Cs}]+$/u;

/** What a message says, in a sentence: the documents show it beside its fields. */
export function Described(description: string): ClassDecorator {
  return ApiSchema({ description });
}

/** May be left out, but not be null. */
export function IsLeftOutOr(...decorators: PropertyDecorator[]): PropertyDecorator {
  return applyDecorators(ValidateIf((_, value) => value !== undefined), ...decorators);
}

/** An id that the caller chooses. */
export function IsIdentifier(describe: Describe & { readonly required?: boolean }): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, pattern: IDENTIFIER.source, ...describe }),
    Matches(IDENTIFIER, { message: '$property must be 1 to 64 characters out of A-Z a-z 0-9 . _ -' }),
  );
}

/** An id that the application has made. */
export function IsUuid(describe: Describe & { readonly required?: boolean }): PropertyDecorator {
  return applyDecorators(ApiProperty({ type: String, format: 'uuid', ...describe }), IsUUID('all', { message: '$property must be a UUID' }));
}

/** One of a few words. */
export function IsOneOf(values: readonly string[], describe: Describe & { readonly required?: boolean; readonly enumName?: string }): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, enum: values as string[], example: values[0], ...describe } as ApiPropertyOptions),
    IsIn(values, { message: `$property must be one of ${values.join(', ')}` }),
  );
}

/** A moment: ISO 8601 with its zone. */
export function IsTime(describe: Describe & { readonly required?: boolean }): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, format: 'date-time', example: '2026-03-01T12:00:00.000Z', ...describe }),
    Holds((value) => isISO8601(value, { strict: true, strictSeparator: true }) && TIME.test(value as string), '$property must be a time such as 2026-03-01T12:00:00.000Z'),
  );
}

/** A text for people. */
export function IsText(maxLength: number, describe: Describe & { readonly required?: boolean }): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, minLength: 1, maxLength, ...describe }),
    Holds(
      // Characters are counted, as JSON Schema does it, not halves of them.
      (value) => typeof value === 'string' && value.length <= 2 * maxLength && [...value].length <= maxLength && PRINTABLE.test(value),
      `$property must be a text of 1 to ${maxLength} characters, something visible among them and no control characters`,
    ),
  );
}

/** A number of pieces: 1 to 1,000,000. */
export function IsQuantity(describe: Describe): PropertyDecorator {
  return IsWholeNumber(1, 1_000_000, describe);
}

/** A number of pieces that are counted together, or that are there. */
export function IsCount(min: 0 | 1, describe: Describe): PropertyDecorator {
  return IsWholeNumber(min, LARGEST, describe);
}

/** A price or an amount in minor units (cents). */
export function IsCents(describe: Describe & { readonly nullable?: boolean }): PropertyDecorator {
  return IsWholeNumber(0, LARGEST, describe);
}

/** An amount that may be negative, in minor units (cents). */
export function IsAmount(describe: Describe): PropertyDecorator {
  return IsWholeNumber(-LARGEST, LARGEST, describe);
}

/** An ISO 4217 code. */
export function IsCurrency(describe: Describe): PropertyDecorator {
  return applyDecorators(ApiProperty({ type: String, pattern: CURRENCY.source, ...describe }), Matches(CURRENCY, { message: '$property must be an ISO 4217 code such as USD' }));
}

export function IsWholeNumber(
  min: number,
  max: number,
  describe: Describe & { readonly required?: boolean; readonly default?: number; readonly nullable?: boolean },
): PropertyDecorator {
  const { nullable = false } = describe;
  return applyDecorators(
    ApiProperty({ type: 'integer', minimum: min, maximum: max, ...describe }),
    Holds(
      (value) => (value === null && nullable) || (Number.isInteger(value) && (value as number) >= min && (value as number) <= max),
      `$property must be a whole number from ${min} to ${max}${nullable ? ', or null' : ''}`,
    ),
  );
}

/** An object of a class, checked by the rules of its class. */
export function IsObjectOf(type: () => new () => object, describe: Pick<Describe, 'description'> = {}): PropertyDecorator {
  return applyDecorators(
    // Under another name Nest would take the function for the class itself.
    ApiProperty({ type: () => type(), ...describe }),
    Holds((value) => value instanceof type(), '$property must be an object'),
    ValidateNested(),
    Type(type),
  );
}

/** A list of objects of a class; each is checked by the rules of its class. */
export function IsListOf(type: () => new () => object, max: number): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: () => type(), isArray: true, minItems: 1, maxItems: max }),
    Holds(
      // An array within the list would pass for an empty object.
      (value) => Array.isArray(value) && value.length >= 1 && value.length <= max && value.every((item) => item instanceof type()),
      `$property must be a list of 1 to ${max} objects`,
    ),
    ValidateNested({ each: true }),
    Type(type),
  );
}

/** One rule with one message, so that a wrong value is answered with one sentence. */
function Holds(validate: (value: unknown) => boolean, message: string): PropertyDecorator {
  return ValidateBy({ name: 'holds', validator: { validate, defaultMessage: () => message } });
}

/** How many items a page may have; in a URL everything is text, so this one is converted, if it is written as a number is. */
export function IsPageLimit(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }) => (typeof value === 'string' && WHOLE_NUMBER.test(value) ? Number(value) : value)),
    IsLeftOutOr(IsWholeNumber(1, 200, { description: 'Items per page.', required: false, default: 50 })),
  );
}

/** Which versions of a thing a command is for. */
export function IsVersions(): PropertyDecorator {
  return IsLeftOutOr(
    ApiProperty({ type: 'integer', isArray: true, required: false, minimum: 0, maxItems: 100, description: 'The versions that will do; of any other one the command is refused. Left out: any.', example: [3] }),
    Holds(
      (value) => Array.isArray(value) && value.length <= 100 && value.every((version) => Number.isSafeInteger(version) && version >= 0),
      '$property must be a list of at most 100 versions: whole numbers',
    ),
  );
}

/** Counts the changes of a thing. */
export function IsVersion(): PropertyDecorator {
  return IsCount(0, { description: 'Counts the changes; also the `ETag` of the thing.', example: 3 });
}

/** Where a page begins, in a URL: what the page before it gave as `nextCursor`. */
export function IsCursor(): PropertyDecorator {
  return IsLeftOutOr(
    ApiProperty({ type: String, required: false, pattern: CURSOR.source, description: 'The `nextCursor` of the page before.' }),
    Matches(CURSOR, { message: '$property must be a nextCursor as an earlier page gave it' }),
  );
}
