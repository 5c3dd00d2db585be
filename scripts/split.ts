// npm run split: the services of docker-compose.yml as processes on this machine, without containers.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import { AppProcess } from './app-process.ts';
import { build } from './build.ts';
import { onStopSignal } from './children.ts';
import { applicationServices, healthPath, localEnvironment, readCompose } from './compose.ts';
import { withOwnSecrets } from './own-secrets.ts';
import { startEmbeddedPostgres } from './postgres.ts';
import { fail, loadDotEnv, projectRoot } from './project.ts';
import { ensureNats } from './services.ts';

export interface SplitOptions {
  /** The environment to start from. DATABASE_URL and NATS_URL: what to use, instead of something found or started. PORT: of the gateway. */
  readonly env: NodeJS.ProcessEnv;
  /** Gets every line of output, with the name of its process in front. */
  readonly log: (line: string) => void;
  /** Stops everything, also in the middle of the start. */
  readonly signal?: AbortSignal;
}

/** The running split topology. */
export interface Split {
  readonly gatewayUrl: string;
  readonly processes: readonly AppProcess[];
  /** Ends every process, and what was started for them. */
  stop(): Promise<void>;
}

/** Starts what docker-compose.yml describes and waits until all of it is ready. @throws Error after stopping what had started */
export async function startSplit({ env, log, signal }: SplitOptions): Promise<Split> {
  const started: { stop(): Promise<void> }[] = [];
  const processes: AppProcess[] = [];
  const stop = async () => {
    await Promise.all(processes.map((process) => process.stop()));
    for (const service of started.splice(0).toReversed()) await service.stop();
  };
  try {
    const home = path.join(projectRoot, '.data', 'split');
    const postgres = env['DATABASE_URL'] ? undefined : await startEmbeddedPostgres(path.join(home, 'postgres'));
    if (postgres) started.push(postgres);
    const nats = env['NATS_URL'] ? undefined : await ensureNats();
    if (nats) started.push(nats);
    const variables = { ...env, NATS_NAMESPACE: env['NATS_NAMESPACE'] || (postgres ? namespaceOf(home) : '') };
    const compose = readCompose(variables);
    const addresses = { postgres: postgres?.url ?? env['DATABASE_URL']!, nats: nats?.url ?? env['NATS_URL']! };
    for (const [service, definition] of applicationServices(compose)) {
      for (let instance = 1; instance <= (definition.deploy?.replicas ?? 1); instance++) {
        processes.push(
          new AppProcess({
            service,
            instance,
            env: { ...process.env, ...env, DATABASE_URL: '', ...localEnvironment(definition, addresses), PORT: definition.ports ? env['PORT'] || '0' : '0' },
            healthPath: healthPath(service, definition),
            restart: definition.restart !== undefined && definition.restart !== 'no',
            log: (process, line) => log(`${labelOf(process, definition.deploy?.replicas)} | ${line}`),
          }),
        );
      }
    }
    const stopProcesses = () => processes.forEach((process) => void process.stop());
    signal?.throwIfAborted();
    signal?.addEventListener('abort', stopProcesses, { once: true });
    await Promise.all(processes.map((process) => process.start()));
    signal?.throwIfAborted();
    return { gatewayUrl: processes.find(({ service }) => compose.services[service]!.ports)!.url!, processes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function labelOf({ service, instance }: AppProcess, replicas = 1): string {
  return (replicas > 1 ? `${service}-${instance}` : service).padEnd(11);
}

/** The streams in a NATS that others use, too, must be those of this database; so both get lost together. */
function namespaceOf(home: string): string {
  const file = path.join(home, 'namespace');
  if (!existsSync(file)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(file, `split-${randomUUID().slice(0, 8)}`);
  }
  return readFileSync(file, 'utf8').trim();
}

const COLOURS = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'] as const;

/** Colours the name in front of a line, the same name always the same. */
function colouring(): (line: string) => string {
  const names: string[] = [];
  return (line) => {
    const [name = '', ...rest] = line.split(' | ');
    if (!names.includes(name)) names.push(name);
    return [styleText(COLOURS[names.indexOf(name) % COLOURS.length]!, name), ...rest].join(' | ');
  };
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  let split: Split | undefined;
  const stop = async () => {
    stopping.abort();
    await split?.stop();
    if (split) process.exit(0);
  };
  onStopSignal(
    () => void stop(),
    () => split?.processes.forEach((process) => process.kill('SIGKILL')),
  );
  loadDotEnv();
  if (!build()) process.exit(1);
  const colour = colouring();
  const log = (line: string) => console.log(colour(line));
  const env = withOwnSecrets({ PORT: '3000', ...process.env });
  split = await startSplit({ env, log, signal: stopping.signal }).catch((error: unknown) => (stopping.signal.aborted ? process.exit(0) : fail(error)));
  const gatewayUrl = forPeople(split.gatewayUrl);
  console.log(
    [
      `The split topology is ready: ${split.processes.length} processes.`,
      `  API         ${gatewayUrl}/v1`,
      `  Swagger UI  ${gatewayUrl}/docs`,
      `  Operations  curl ${gatewayUrl}/admin/trouble -H "authorization: Bearer ${env['ADMIN_TOKEN_SHOW'] === 'true' ? env['ADMIN_TOKEN'] : '$ADMIN_TOKEN'}"`,
      ...split.processes.map(({ service, instance, url, pid }) => `  ${`${service} ${instance}`.padEnd(12)}${forPeople(url!)}/health/ready  (pid ${pid})`),
      ...(env['DEV_ISSUER'] === 'true' ? [`  Token       TOKEN=$(curl -s -X POST ${gatewayUrl}/dev/token -H 'accept: text/plain')`] : []),
      `  Try         curl -i ${gatewayUrl}/v1/orders -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"customerId":"QUICK","lines":[{"productId":"chai","quantity":2,"unitPrice":1800}]}'`,
      'Ctrl-C stops all of it.',
    ].join('\n'),
  );
}

function forPeople(url: string): string {
  return url.replace('127.0.0.1', 'localhost');
}

if (import.meta.main) await main();
