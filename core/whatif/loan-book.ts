/** A loan of the replay; places of pools are those of the participants. Steps are exclusive ends: at a step, not after it. */
export interface ReplayLoan {
  readonly lender: number;
  readonly borrower: number;
  units: number;
  readonly startStep: number;
  /** The borrower has the units from here on. */
  readonly activeStep: number;
  /** The borrower keeps them at least until here. */
  readonly keptUntilStep: number;
  /** The longest term ends here. */
  readonly dueStep: number;
  /** The way back has begun here; `Infinity`: not yet. */
  leftStep: number;
  /** The lender has the units again from here on; `Infinity`: unknown. */
  backStep: number;
}

/** What moved at the beginning of a step. */
export interface LoanTotals {
  /** By pool: units that its ceiling is down by. */
  readonly lent: Float64Array;
  /** By pool: of `lent`, what is on its way back. */
  readonly returning: Float64Array;
  /** By pool: units that it has borrowed and may run on. */
  readonly borrowed: Float64Array;
  /** By pool: units that start up. */
  readonly starting: Float64Array;
}

function add(totals: Float64Array, at: number, units: number): void {
  const sum = (totals[at] as number) + units;
  // Differences of what was added and taken away again leave a rest that is no loan.
  totals[at] = Math.abs(sum) < 1e-9 ? 0 : sum;
}

/**
 * The open loans. Lender down first, then borrower up; on the way back borrower down first, then lender up: so that the sum of
 * ceilings never passes what is owned.
 */
export class LoanBook implements LoanTotals {
  readonly lent: Float64Array;
  readonly returning: Float64Array;
  readonly borrowed: Float64Array;
  readonly starting: Float64Array;
  readonly #byLender: ReplayLoan[][];
  readonly #starts = new Map<number, ReplayLoan[]>();
  readonly #ends = new Map<number, ReplayLoan[]>();
  #open: ReplayLoan[] = [];
  readonly #onEnd: (loan: ReplayLoan) => void;

  constructor(pools: number, onEnd: (loan: ReplayLoan) => void) {
    this.lent = new Float64Array(pools);
    this.returning = new Float64Array(pools);
    this.borrowed = new Float64Array(pools);
    this.starting = new Float64Array(pools);
    this.#byLender = Array.from({ length: pools }, () => []);
    this.#onEnd = onEnd;
  }

  /** Loans of which the way back has not begun, oldest first. */
  get running(): readonly ReplayLoan[] {
    return this.#open;
  }

  /** Every loan that has not ended, those on their way back too. */
  open(): readonly ReplayLoan[] {
    return [...this.#open, ...[...this.#ends.values()].flat()];
  }

  ofLender(lender: number): readonly ReplayLoan[] {
    return this.#byLender[lender] as ReplayLoan[];
  }

  /** Takes units from the lender at once; the borrower gets them at the loan's active step. */
  make(loan: Omit<ReplayLoan, 'leftStep' | 'backStep'>): void {
    const made: ReplayLoan = { ...loan, leftStep: Number.POSITIVE_INFINITY, backStep: Number.POSITIVE_INFINITY };
    add(this.lent, loan.lender, loan.units);
    add(this.starting, loan.borrower, loan.units);
    this.#open.push(made);
    (this.#byLender[loan.lender] as ReplayLoan[]).push(made);
    this.#at(this.#starts, loan.activeStep).push(made);
  }

  /** Ends what is due at the step and brings up what has started. */
  advance(step: number): void {
    for (const loan of this.#starts.get(step) ?? []) {
      if (loan.leftStep <= step) continue;
      add(this.starting, loan.borrower, -loan.units);
      add(this.borrowed, loan.borrower, loan.units);
    }
    this.#starts.delete(step);
    for (const loan of this.#ends.get(step) ?? []) {
      add(this.lent, loan.lender, -loan.units);
      add(this.returning, loan.lender, -loan.units);
      this.#onEnd(loan);
    }
    this.#ends.delete(step);
  }

  /** Begins the way back of units of a loan: the borrower is without them from now on, the lender has them later. */
  giveBack(loan: ReplayLoan, units: number, step: number, backStep: number): void {
    const leaving = units < loan.units ? this.#part(loan, units) : loan;
    leaving.leftStep = step;
    leaving.backStep = backStep;
    add(this.returning, leaving.lender, leaving.units);
    add(leaving.activeStep <= step ? this.borrowed : this.starting, leaving.borrower, -leaving.units);
    this.#at(this.#ends, backStep).push(leaving);
  }

  /** Forgets, of the running loans, those on their way back. Once a step is enough. */
  tidy(): void {
    const isRunning = ({ leftStep }: ReplayLoan) => leftStep === Number.POSITIVE_INFINITY;
    if (this.#open.every(isRunning)) return;
    this.#open = this.#open.filter(isRunning);
    for (const [lender, loans] of this.#byLender.entries()) this.#byLender[lender] = loans.filter(isRunning);
  }

  #part(loan: ReplayLoan, units: number): ReplayLoan {
    loan.units -= units;
    const part = { ...loan, units };
    return part;
  }

  #at(queue: Map<number, ReplayLoan[]>, step: number): ReplayLoan[] {
    const found = queue.get(step) ?? [];
    queue.set(step, found);
    return found;
  }
}
