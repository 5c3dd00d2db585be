import { createHash, randomUUID } from 'node:crypto';
import { currentMessage, DomainError, type ErrorDefinition, type ErrorKind } from '@nestbox/kernel';
import { ConcurrencyConflict, type ContextDatabase, OutcomeUnknown, sqlState, type Statement } from '@nestbox/persistence';
import { canonicalJson } from './canonical-json.js';
import { typeOfMessage } from './message-types.js';
import { remoteErrors } from './nats/errors.js';
import { decodeError, encodeError, type RemoteError } from './nats/remote-errors.js';

/** A claim outlives the deadline of its request by this, in ms: the clocks of two machines differ. */
const CLAIM_MARGIN_MS = 1_000;
/** Whatever Postgres can keep in an index. */
const KEY = /^[\x20-\x7e]{1,255}$/;
/** Refusals that say something about the request; the others, and mistakes of ours, may be different next time. */
const FINAL: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['invalid', 'not-found', 'conflict', 'precondition-failed', 'forbidden']);

/** The same key came with another request. */
export class IdempotencyKeyReused extends DomainError {
  static readonly definition = {
    code: 'messaging.idempotency-key-reused', kind: 'invalid', title: 'Key of another request',
    cause: 'The idempotency key was used before, for another request of the same operation.',
    cure: 'Repeat the request that the key belongs to, or choose a new key for this one.',
  } as const satisfies ErrorDefinition;

  constructor(key: string, operation: string) {
    super(IdempotencyKeyReused.definition, `The idempotency key "${key}" was used for another request of ${operation}. A key belongs to one request: repeat that one, or choose a new key.`, { key });
  }
}

/** The first request with this key has not been answered yet. */
export class RequestInProgress extends DomainError {
  static readonly definition = {
    code: 'messaging.request-in-progress', kind: 'conflict', title: 'Still in progress',
    cause: 'The first request with this idempotency key has not been answered yet.',
    cure: 'Repeat it in a moment: then it is answered as the first one was.',
  } as const satisfies ErrorDefinition;

  constructor(key: string, operation: string) {
    super(RequestInProgress.definition, `The request of ${operation} with the idempotency key "${key}" is still in progress. Repeat it in a moment: then it is answered as the first one was.`, { key });
  }
}

/** Somebody else has taken the key over, because this request took longer than its deadline. */
class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

interface Claim {
  readonly db: ContextDatabase;
  /** Tenant, caller, operation and key: whose request this is. */
  readonly identity: readonly [tenantId: string, caller: string, operation: string, key: string];
  readonly fingerprint: string;
  readonly id: string;
}

/** How a request was answered: with a result, or with a refusal. */
type Answer = { readonly result?: unknown; readonly error?: RemoteError };

interface Found {
  readonly claimed: boolean;
  readonly fingerprint: string | null;
  readonly answer: Answer | null;
}

/** A command, with what is written in its own transaction once its result is known. */
export type Work = (also: (result: unknown) => readonly Statement[]) => Promise<unknown>;

/**
 * Runs the command in `message` once for each idempotency key of its caller. The key is claimed before the command runs,
 * and its answer is stored in the command's own transaction, guarded by the claim: answer and effect come together, or
 * neither does, and of two processes that believe to have the claim one cannot commit. A claim ends with the deadline of
 * its request, so a process that dies leaves nothing behind that blocks. Source of the behaviour:
 * draft-ietf-httpapi-idempotency-key-header-07.
 * @param keepMs after so many ms a key is forgotten
 * @throws DomainError `messaging.malformed-request` for a key that is none; IdempotencyKeyReused, RequestInProgress, or what the command throws or has thrown the first time
 */
export async function runOnce(db: ContextDatabase, message: object, key: string, keepMs: number, work: Work): Promise<unknown> {
  // HTTP has refused it already; over NATS anything may come.
  if (!KEY.test(key)) throw new DomainError(remoteErrors.malformedRequest, 'The idempotency key must be 1 to 255 printable ASCII characters.');
  const { tenantId, deadline, identity, onReplay } = currentMessage()!;
  const operation = typeOfMessage(message);
  const fingerprint = createHash('sha256').update(canonicalJson(message)).digest('hex');
  const patience = deadline ?? Date.now();
  for (;;) {
    const claim: Claim = { db, identity: [tenantId, identity?.subject ?? '', operation, key], fingerprint, id: randomUUID() };
    const found = await claimKey(claim, patience + CLAIM_MARGIN_MS - Date.now(), keepMs);
    if (found.claimed) {
      try {
        return await runClaimed(claim, work);
      } catch (error) {
        if (!(error instanceof ClaimLost)) throw error;
      }
    } else if (found.fingerprint !== null) {
      if (found.fingerprint !== fingerprint) throw new IdempotencyKeyReused(key, operation);
      if (!found.answer) throw new RequestInProgress(key, operation);
      onReplay?.();
      if (found.answer.error) throw decodeError(found.answer.error, operation);
      return found.answer.result;
    }
    // Lost, or claimed by somebody else after the statement had begun: the next one sees it.
  }
}

async function runClaimed(claim: Claim, work: Work): Promise<unknown> {
  try {
    return await work((result) => [settle(claim, { result })]);
  } catch (error) {
    if (error instanceof DomainError && FINAL.has(error.kind) && !(error instanceof ConcurrencyConflict)) {
      const { text, values } = settle(claim, { error: encodeError(error, claim.identity[2], '') });
      await claim.db.query(text, values).catch(() => undefined);
    } else if (!(error instanceof OutcomeUnknown)) {
      await release(claim).catch(() => undefined);
    }
    throw error;
  }
}

/** A claim need not survive a crash of the server, so it does not wait for the disk. */
async function claimKey({ db, identity, fingerprint, id }: Claim, forMs: number, keepMs: number): Promise<Found> {
  const table = tableOf(db);
  const { rows } = await db.query<Found>(
    `with swiftly as materialized (select set_config('synchronous_commit', 'off', true)),
       mine as (
         insert into ${table} as k (tenant_id, caller, operation, key, fingerprint, claim, until)
         select $1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 ms' from swiftly
         on conflict (tenant_id, caller, operation, key) do update
           set fingerprint = excluded.fingerprint, claim = excluded.claim, until = excluded.until, answer = null, at = excluded.at
           where (k.answer is null and k.until < clock_timestamp()) or k.at < clock_timestamp() - $8 * interval '1 ms'
         returning true)
     select exists (select from mine) as claimed, k.fingerprint, k.answer
     from swiftly left join ${table} k on (k.tenant_id, k.caller, k.operation, k.key) = ($1, $2, $3, $4)`,
    [...identity, fingerprint, id, Math.round(forMs), keepMs],
  );
  return rows[0]!;
}

/** Stores the answer, unless somebody else has the key by now. The row is written anew if a crash of the server has lost it. */
function settle({ db, identity, fingerprint, id }: Claim, answer: Answer): Statement {
  const table = tableOf(db);
  return {
    text: `with settled as (
        insert into ${table} as k (tenant_id, caller, operation, key, fingerprint, claim, until, answer)
        values ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7)
        on conflict (tenant_id, caller, operation, key) do update set answer = excluded.answer
          where k.claim = excluded.claim and k.answer is null
        returning 1)
      select nb.expect((select count(*) from settled), 1, 'the claim of an idempotency key')`,
    values: [...identity, fingerprint, id, JSON.stringify(answer)],
    explain: (error) => (sqlState(error) === 'NB001' ? new ClaimLost() : error),
  };
}

async function release({ db, identity, id }: Claim): Promise<void> {
  await db.query(
    `delete from ${tableOf(db)} where (tenant_id, caller, operation, key) = ($1, $2, $3, $4) and claim = $5 and answer is null`,
    [...identity, id],
  );
}

/** Forgets old keys. @param keepMs for how long they are kept, in ms */
export async function forgetOldKeys(db: ContextDatabase, keepMs: number): Promise<void> {
  await db.enginePool.query(`delete from ${tableOf(db)} where at < clock_timestamp() - $1 * interval '1 ms' and (answer is not null or until < clock_timestamp())`, [keepMs]);
}

function tableOf(db: ContextDatabase): string {
  return `"${db.schema}".idempotency_key`;
}
