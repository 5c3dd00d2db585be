import { EnvError, makeValidator, type ValidatorSpec } from 'envalid';
import type { SettingDefinition } from '@nestbox/kernel';

/** A definition as a validator of `envalid`. Its errors say what the value must be. */
export function specOf(definition: SettingDefinition & { readonly optional?: boolean }): ValidatorSpec<unknown> {
  const parse = (text: string) => parseSetting(definition, text);
  // With the key present, even as undefined, envalid takes the setting for optional.
  const fallback = definition.default !== undefined || definition.optional ? { default: definition.default } : {};
  return makeValidator<unknown>(parse)(fallback as { default: undefined });
}

/** What the value of a setting must be, as the end of "it must be …". */
export function requirementOf(definition: SettingDefinition): string {
  switch (definition.type) {
    case 'string':
      return 'text';
    case 'url':
      return `a URL that starts with ${definition.protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
    case 'integer':
      return `a whole number${rangeOf(definition)}`;
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `one of ${definition.choices.join(', ')}`;
  }
}

function rangeOf({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of ${min} or more`;
  return max !== undefined ? ` of ${max} or less` : '';
}

function parseSetting(definition: SettingDefinition, text: string): unknown {
  switch (definition.type) {
    case 'string':
      return text;
    case 'url':
      return parseUrl(definition.protocols, text);
    case 'integer':
      return parseInteger(definition, text);
    case 'boolean':
      if (/^(true|1|yes|on)$/i.test(text)) return true;
      if (/^(false|0|no|off)$/i.test(text)) return false;
      throw new EnvError('is not a yes or no');
    case 'choice':
      if (definition.choices.includes(text)) return text;
      throw new EnvError('is not a choice');
  }
}

function parseUrl(protocols: readonly string[], text: string): string {
  if (!URL.canParse(text)) throw new EnvError('is not a URL');
  if (!protocols.includes(new URL(text).protocol)) throw new EnvError('has the wrong protocol');
  return text;
}

function parseInteger({ min, max }: { readonly min?: number; readonly max?: number }, text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new EnvError('is not a whole number');
  if (min !== undefined && value < min) throw new EnvError('is too small');
  if (max !== undefined && value > max) throw new EnvError('is too large');
  return value;
}
