/** Waits for a promise, but not for ever: a process that hangs is a break, too. @throws after `ms` */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what}, and has not for ${ms / 1_000} s.`)), ms);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
