/**
 * On which side of an await: when what it waits for has been asked for (the statement is on its way, nobody knows the
 * answer), or when the answer is here (the server has done it, this process has made nothing of it).
 */
export type Side = 'asked' | 'answered';

/** Where and when a process under test kills itself. */
export interface Death {
  /** Of the crash point. */
  readonly name: string;
  readonly side: Side;
  /** At the how-manieth time since the process started, from 1. */
  readonly pass: number;
}
