/** What commands were answered with: the steps of a basket that each of them has added. */
export class Answers {
  /** The highest step of each basket. */
  readonly highest = new Map<string, number>();
  /** Steps that two commands were told to be theirs: one of the two is not kept. In words. */
  readonly contradictions: string[] = [];
  private readonly taken = new Map<string, Set<number>>();
  count = 0;

  /** Notes the answer of a command that was to add `times` steps, and after which the basket has `steps`. */
  note(basket: string, times: number, steps: number): void {
    this.count += 1;
    this.highest.set(basket, Math.max(steps, this.highest.get(basket) ?? 0));
    const taken = this.taken.get(basket) ?? new Set();
    this.taken.set(basket, taken);
    for (let step = steps - times + 1; step <= steps; step++) {
      if (taken.has(step)) this.contradictions.push(`${basket} step ${step} was given to two commands`);
      taken.add(step);
    }
  }
}
