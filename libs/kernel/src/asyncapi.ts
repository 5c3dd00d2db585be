/** A JSON Schema (draft 7), as far as fields of messages need it. Schemas of nested classes stand where they are used. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  /** Name of the class. */
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
}

export interface AsyncApiReference {
  readonly $ref: string;
}

export interface AsyncApiMessage {
  /** `<context>.<name>` */
  readonly name: string;
  readonly title: string;
  readonly summary?: string;
  readonly contentType: string;
  readonly correlationId?: { readonly location: string };
  readonly headers?: JsonSchema;
  readonly payload: JsonSchema;
  readonly examples?: readonly { readonly payload: unknown }[];
}

export interface AsyncApiChannel {
  /** A NATS subject; null for replies, whose subject comes with the request. */
  readonly address: string | null;
  readonly title: string;
  readonly description?: string;
  readonly tags?: readonly { readonly name: string }[];
  readonly parameters?: Readonly<Record<string, { readonly description: string }>>;
  readonly messages: Readonly<Record<string, AsyncApiReference>>;
}

export interface AsyncApiOperation {
  readonly action: 'send' | 'receive';
  readonly title: string;
  readonly tags: readonly { readonly name: string }[];
  readonly channel: AsyncApiReference;
  readonly messages?: readonly AsyncApiReference[];
  readonly bindings?: { readonly nats: { readonly queue: string; readonly bindingVersion: string } };
  readonly reply?: { readonly address: { readonly location: string; readonly description: string }; readonly channel: AsyncApiReference };
}

/** An AsyncAPI 3.0 document: what travels between contexts. https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string; readonly license?: { readonly name: string } };
  readonly defaultContentType: string;
  readonly channels: Readonly<Record<string, AsyncApiChannel>>;
  readonly operations: Readonly<Record<string, AsyncApiOperation>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>>; readonly messages: Readonly<Record<string, AsyncApiMessage>> };
}
