import { type DefinedError, definitionOf, type ErrorDefinition, UsageError } from './errors.js';
import { MESSAGE_TYPE_PATTERN } from './domain-event.js';

/**
 * Definitions of errors by their code. Whoever puts an application together makes one of the lists of its contexts and libraries;
 * nothing enters itself.
 * @throws UsageError for a code that breaks the rule of names, or stands for two errors
 */
export function errorCatalogue<D extends Pick<ErrorDefinition, 'code' | 'title'> = ErrorDefinition>(errors: Iterable<DefinedError<D>>): ReadonlyMap<string, D> {
  const catalogue = new Map<string, D>();
  for (const error of errors) {
    const definition = definitionOf(error);
    const { code, title } = definition;
    if (!MESSAGE_TYPE_PATTERN.test(code)) throw new UsageError(`The error "${title}" has the code "${code}".`, 'name it <context>.<what-happened> in kebab case, for example ordering.order-not-found.');
    const other = catalogue.get(code);
    if (other) throw new UsageError(`Two errors have the code "${code}": "${other.title}" and "${title}".`, 'give one of them another code, or list it once; a code stands for one error.');
    catalogue.set(code, definition);
  }
  return catalogue;
}
