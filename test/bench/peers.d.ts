// The little that is used of the peers, so that the project compiles where they are not installed.
declare module 'graphile-worker' {
  interface Helpers {
    query(text: string, values?: readonly unknown[]): Promise<unknown>;
  }
  interface RunnerOptions {
    connectionString: string;
    taskList: Record<string, (payload: never, helpers: Helpers) => Promise<void> | void>;
    concurrency?: number;
    maxPoolSize?: number;
    noHandleSignals?: boolean;
    noPreparedStatements?: boolean;
    crontab?: string;
    logger?: unknown;
    preset?: { worker: Record<string, unknown> };
  }
  export function run(options: RunnerOptions): Promise<{ stop(): Promise<void> }>;
  export function runMigrations(options: { connectionString: string; logger?: unknown }): Promise<void>;
  export class Logger {
    constructor(factory: () => (level: string, message: string) => void);
  }
}

declare module 'pg-transactional-outbox' {
  interface Message {
    readonly id: string;
    readonly payload: unknown;
    readonly aggregateId: string;
  }
  interface ListenerConfig {
    outboxOrInbox: 'outbox';
    dbListenerConfig: { connectionString: string; max?: number };
    settings: Record<string, unknown>;
  }
  interface Setup {
    readonly outboxOrInbox: 'outbox';
    readonly database: string;
    readonly schema: string;
    readonly table: string;
    readonly listenerRole: string;
    readonly nextMessagesName: string;
  }
  export const DatabaseSetup: Record<'dropAndCreateTable' | 'createPollingFunction' | 'setupPollingIndexes', (setup: Setup) => string>;
  export function getDisabledLogger(): unknown;
  export function initializePollingMessageListener(config: ListenerConfig, handler: { handle(message: Message): Promise<void> }, logger: unknown, strategies?: { batchSizeStrategy(): Promise<number> }): [stop: () => Promise<void>];
}

declare module 'undici' {
  interface Handler {
    onRequestStart?(): void;
    onResponseStart?(controller: unknown, statusCode: number): void;
    onResponseData?(controller: unknown, chunk: Buffer): void;
    onResponseEnd?(): void;
    onResponseError?(controller: unknown, error: Error): void;
  }
  export class Pool {
    constructor(url: string, options?: { connections?: number; pipelining?: number });
    dispatch(request: { method: string; path: string; headers: Readonly<Record<string, string>>; body?: string }, handler: Handler): boolean;
    close(): Promise<void>;
  }
}
