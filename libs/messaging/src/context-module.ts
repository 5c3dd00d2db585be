import { Module, type Provider, type Type } from '@nestjs/common';
import { definitionOf, type DefinedError, type DomainEventClass, UsageError } from '@nestbox/kernel';
import { type MigrationClass, PersistenceModule } from '@nestbox/persistence';
import type { EntitySchema } from 'typeorm';
import { messagingTables } from './messaging-tables.js';

/** A read model fed by events, with a position of its own, so that it can be rebuilt alone. */
export interface ProjectionDefinition {
  /** Kebab case, unique in the application. */
  readonly name: string;
  /** Its tables in the context's schema; emptied when it is rebuilt. */
  readonly tables: readonly string[];
  /** Its `@EventsHandler` classes. They may write these tables and nothing else. */
  readonly subscribers: readonly Type[];
}

/** What a bounded context consists of: its table of contents. */
export interface ContextDefinition {
  /** Kebab case; also its Postgres schema and the prefix of its message types. */
  readonly name: string;
  readonly entities?: readonly EntitySchema[];
  readonly migrations?: readonly MigrationClass[];
  readonly repositories?: readonly Type[];
  /** `@CommandHandler` classes. */
  readonly commands?: readonly Type[];
  /** `@QueryHandler` classes. */
  readonly queries?: readonly Type[];
  /** Events that its aggregates raise. */
  readonly publishes?: readonly DomainEventClass[];
  /** Its refusals, for the catalogue: every class that extends `DomainError`. */
  readonly errors?: readonly DefinedError[];
  /** `@EventsHandler` classes, handled together as one reader named like the context. */
  readonly subscribers?: readonly Type[];
  readonly projections?: readonly ProjectionDefinition[];
  /** Anything else its handlers need. */
  readonly providers?: readonly Provider[];
}

const CONTEXT_METADATA = Symbol('nestbox:context');

/**
 * Marks a class as the module of a bounded context. It is an ordinary Nest module; what is listed here is checked when
 * the application starts.
 */
export function ContextModule(definition: ContextDefinition): ClassDecorator {
  const { name, entities = [], migrations = [] } = definition;
  return (target) => {
    Reflect.defineMetadata(CONTEXT_METADATA, definition, target);
    Module({
      providers: [
        PersistenceModule.database(name, entities, [messagingTables(name), ...migrations]),
        ...(definition.repositories ?? []),
        ...(definition.commands ?? []),
        ...(definition.queries ?? []),
        ...(definition.subscribers ?? []),
        ...(definition.projections ?? []).flatMap((projection) => projection.subscribers),
        ...(definition.providers ?? []),
      ],
    })(target);
  };
}

/**
 * The refusals of a context.
 * @throws UsageError for one whose code begins with the name of something else
 */
export function contextErrors({ name, errors = [] }: ContextDefinition): readonly DefinedError[] {
  for (const { code, title } of errors.map(definitionOf)) {
    if (!code.startsWith(`${name}.`)) throw new UsageError(`The context "${name}" lists the error "${title}" with the code "${code}".`, `a context lists its own errors only: begin the code with "${name}.", or list the error where it belongs.`);
  }
  return errors;
}

/** The definition of a context module; undefined for any other class. */
export function contextDefinitionOf(target: object): ContextDefinition | undefined {
  return Reflect.getMetadata(CONTEXT_METADATA, target) as ContextDefinition | undefined;
}
