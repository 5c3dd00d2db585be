/** A question that one part of this process asks of the database at every heartbeat. */
export interface Question {
  /** A scalar subquery, without parentheses; `$1` is this process' id. */
  readonly sql: string;
  /** Told the answer, as text, each time. */
  heard(answer: string | null, beat: Beat): void;
}

/** What everybody needs to know of one heartbeat. */
export interface Beat {
  /** Who this process was in it. */
  readonly instance: string;
  /** When it was asked, on this thread's monotonic clock: its answers are at least as new. */
  readonly at: number;
  /** The living members of each group that this process is in, in one order for all, this process among them. */
  members(reader: string): readonly string[];
}

/** What the main thread tells the thread of the heartbeat. */
export interface HeartbeatOrder {
  readonly instance: string;
  /** The groups it is a member of. */
  readonly readers: readonly string[];
  readonly sql: string;
  /** Names of the questions, in the order of their answers. */
  readonly questions: readonly string[];
}

/** What the heartbeat has to say to the main thread. */
export interface HeartbeatReport {
  readonly order: Pick<HeartbeatOrder, 'instance' | 'readers' | 'questions'>;
  /** When it was sent, in hrtime ns. */
  readonly started: bigint;
  /** How many memberships were renewed. */
  readonly renewed: number;
  /** Living members of the same groups, as `[reader, instance, ms left]`; unknown when the questions could not be answered. */
  readonly members?: readonly (readonly [reader: string, instance: string, left: number])[];
  readonly answers?: readonly (string | null)[];
  /** Why the questions could not be answered. */
  readonly problem?: string;
}

/** Renews the memberships of instance `$1` for `$2` ms and asks nothing: it must not fail because of any other table. */
export const RENEW = "update nb.member set until = clock_timestamp() + $2::int * interval '1 ms' where instance = $1 and until > clock_timestamp()";

/** Renews likewise and asks about the groups `$3`, all in one statement. */
export function heartbeatSql(questions: readonly string[]): string {
  return `with renewed as (${RENEW} returning 1)
    select (select count(*) from renewed)::int renewed,
      (select coalesce(json_agg(json_build_array(reader, instance, extract(epoch from until - clock_timestamp()) * 1000)), '[]')
        from nb.member where reader = any($3) and until > clock_timestamp()) members,
      array[${questions.map((sql) => `(${sql})::text`).join(', ')}]::text[] answers`;
}
