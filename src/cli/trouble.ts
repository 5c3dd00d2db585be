import { UsageError } from '@nestbox/kernel';
import { definitions, withContexts } from './databases.js';

interface TroubleRow extends Record<string, unknown> {
  readonly handler: string;
  readonly key: string;
  readonly state: string;
  readonly attempts: number;
  readonly waiting: number;
  readonly type: string;
  readonly error: string | null;
  readonly next_at: Date | null;
}

/** `trouble list`: the first event of every blocked key, and how many wait behind it. */
export async function list(): Promise<void> {
  await withContexts(definitions(), async (contexts) => {
    let found = 0;
    for (const { definition, db } of contexts) {
      const { rows } = await db.query<TroubleRow>(
        `select handler, key, state, attempts, next_at, event->>'type' as type, error->>'message' as error,
           (select count(*)::int from "${db.schema}".trouble b where b.reader = t.reader and b.handler = t.handler and b.key = t.key and b.n > t.n) as waiting
         from "${db.schema}".trouble t where state in ('head', 'dead') order by handler, key`,
      );
      for (const row of rows) process.stdout.write(`${describe(definition.name, row)}\n`);
      found += rows.length;
    }
    if (found === 0) process.stdout.write('No event is in trouble.\n');
  });
}

/** `trouble replay|skip`: asks the owner of the lane to do it, in order; safe to say twice. */
export async function ask(request: 'replay' | 'skip', of: { context: string; handler: string; key: string }): Promise<void> {
  const definition = definitions().find(({ name }) => name === of.context);
  if (!definition) throw new UsageError(`There is no context "${of.context}".`, `use one of: ${definitions().map(({ name }) => name).join(', ')}.`);
  await withContexts([definition], async ([opened]) => {
    const { rowCount } = await opened!.db.query(
      `update "${of.context}".trouble set request = $3 where handler = $1 and key = $2 and state in ('head', 'dead')`,
      [of.handler, of.key, request],
    );
    if (!rowCount) throw new UsageError(`No event of ${of.key} waits for ${of.handler} in "${of.context}".`, 'see `trouble list` for what does.');
    process.stdout.write(`Asked for: ${request}. The service that runs ${of.handler} does it, in order.\n`);
  });
}

function describe(context: string, { handler, key, state, attempts, waiting, type, error, next_at }: TroubleRow): string {
  const next = state === 'dead' ? 'waits for a person' : `next attempt ${next_at?.toISOString() ?? 'soon'}`;
  return `${context}\t${handler}\t${key}\t${type}\t${state} after ${attempts} attempts, ${next}, ${waiting} behind it\t${error ?? ''}`;
}
