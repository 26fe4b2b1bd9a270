import { utcMonth } from '../calendar.ts';
import { seededRandom } from '../forecast/random.ts';
import type { EpochMillis } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND } from '../units.ts';
import { HarmRecord } from './harm-record.ts';
import type { ReplayLoan } from './loan-book.ts';
import { LoanBook } from './loan-book.ts';
import type { PoolOutlook } from './outlook.ts';
import { outlookFor } from './outlook.ts';
import type { Participant, Participants, SideLimits } from './participants.ts';
import type { Scenario, StepTimes } from './scenario.ts';
import { stepTimes } from './scenario.ts';
import type { Traces } from './traces.ts';

/** Leads of an outlook, by place: until a recall brings units back, and until the shortest loan is over. */
export const RECALL_LEAD = 0;
export const LOAN_LEAD = 1;

const SECONDS_AN_HOUR = 3_600;
/** A dip shorter than this is no headroom. */
const SCALE_IN_SECONDS = 3_600;
const USAGE_LIMITS = ['maxUnits', 'maxSharePercent', 'maxUnitHoursPerMonth'] as const;
type UsageLimit = (typeof USAGE_LIMITS)[number];
/** Less is not wanted. */
const LEAST_WANTED = 1e-6;
const NO_LIMITS: SideLimits = { maxUnits: 0, maxShare: 0, maxUnitHoursPerMonth: 0 };

/** What is used under the consents of accounts, in units and in unit-hours of the month. */
class Usage {
  readonly units: Float64Array;
  readonly unitHours: Float64Array;

  constructor(accounts: number) {
    this.units = new Float64Array(accounts);
    this.unitHours = new Float64Array(accounts);
  }
}

/** All that a replay knows at a step. */
export class ReplayMarket {
  readonly traces: Traces;
  readonly scenario: Scenario;
  readonly times: StepTimes;
  readonly participants: Participants;
  readonly book: LoanBook;
  readonly record: HarmRecord;
  readonly outlooks: readonly PoolOutlook[];
  readonly lentOfAccount: Usage;
  readonly borrowedOfAccount: Usage;
  /** By pool: steps on end in which demand was above the ceiling. */
  readonly stepsAbove: Int32Array;
  /** By pool: whether its consent applies in this hour. */
  readonly isOpen: Uint8Array;
  /** By pool: its circle; all 0 without circles. */
  circleOf: Int32Array;
  /** By pool: which of two lenders with the same to lend comes first, by the seed. */
  readonly tieOrder: Float64Array;
  /** By limit of consents, such as `borrow.maxUnits`: the accounts for which it left less than was wanted. */
  readonly limitedBy = new Map<string, Set<number>>();
  readonly #stepHours: number;
  readonly #scaleInSteps: number;
  readonly #longestRecallSteps: number;
  readonly #longestShortestSteps: number;
  #month = '';

  constructor(traces: Traces, participants: Participants, scenario: Scenario, onEnd: (loan: ReplayLoan) => void) {
    const count = participants.pools.length;
    this.traces = traces;
    this.scenario = scenario;
    this.participants = participants;
    this.times = stepTimes(scenario, traces.stepSeconds);
    this.record = new HarmRecord(
      scenario.forecast === 'short-term' ? scenario.harmTarget : 0,
      traces.stepSeconds,
      participants.pools.map(({ ownedUnits }) => ownedUnits),
    );
    this.lentOfAccount = new Usage(participants.accounts.length);
    this.borrowedOfAccount = new Usage(participants.accounts.length);
    this.stepsAbove = new Int32Array(count);
    this.isOpen = new Uint8Array(count);
    this.circleOf = new Int32Array(count);
    const random = seededRandom(scenario.seed);
    this.tieOrder = Float64Array.from({ length: count }, () => random());
    const { pools } = participants;
    this.#longestRecallSteps = Math.max(1, ...pools.map((pool) => this.recallSteps(pool)));
    this.#longestShortestSteps = Math.max(1, ...pools.map((pool) => this.shortestSteps(pool, pool)));
    this.#stepHours = traces.stepSeconds / SECONDS_AN_HOUR;
    this.#scaleInSteps = Math.max(1, Math.ceil(SCALE_IN_SECONDS / traces.stepSeconds));
    this.book = new LoanBook(count, (loan) => {
      this.#use(loan, -loan.units);
      onEnd(loan);
    });
    this.outlooks = participants.pools.map((pool, place) =>
      outlookFor(traces.demand[place] as Float64Array, {
        forecast: scenario.forecast,
        profileQuantile: scenario.profileQuantile,
        stepSeconds: traces.stepSeconds,
        ownedUnits: pool.ownedUnits,
        leads: [this.recallSteps(pool) + 1, this.times.startUpSteps + this.shortestSteps(pool, pool)],
      }),
    );
  }

  pool(place: number): Participant {
    return this.participants.pools[place] as Participant;
  }

  /** Demand of the step before: the newest that is known. */
  lastDemand(place: number, step: number): number {
    return this.traces.demand[place]?.[step - 1] ?? 0;
  }

  /** What runs: groups scale in slowly, so that it is the highest demand of the last while. */
  runningUnits(place: number, step: number): number {
    let most = this.lastDemand(place, step);
    for (let back = 1; back < this.#scaleInSteps; back += 1) most = Math.max(most, this.lastDemand(place, step - back));
    return most;
  }

  recallSteps({ recallNoticeSeconds }: Participant): number {
    return Math.max(this.times.recallSteps, Math.ceil(recallNoticeSeconds / this.traces.stepSeconds));
  }

  /** The shortest term that suits both consents and the scenario. */
  shortestSteps(lender: Participant, borrower: Participant): number {
    const seconds = Math.max(lender.shortestTermSeconds, borrower.shortestTermSeconds);
    return Math.max(this.times.shortestLoanSteps, Math.ceil(seconds / this.traces.stepSeconds));
  }

  longestSteps(lender: Participant, borrower: Participant): number {
    return Math.floor(Math.min(lender.longestTermSeconds, borrower.longestTermSeconds) / this.traces.stepSeconds);
  }

  atMillis(step: number): EpochMillis {
    return epochMillis(this.traces.startMillis + step * this.traces.stepSeconds * MILLIS_PER_SECOND);
  }

  /** Whole units where only whole ones are lent. */
  lendable(units: number): number {
    return this.participants.wholeUnits ? Math.floor(units + 1e-9) : units;
  }

  asked(units: number): number {
    return this.participants.wholeUnits ? Math.ceil(units - 1e-9) : units;
  }

  /** Begins a step: what is due ends, outlooks take in the newest demand, months begin anew. */
  advance(step: number): void {
    this.book.advance(step);
    for (const outlook of this.outlooks) outlook.observe(step);
    if (step % Math.max(1, Math.round(1 / this.#stepHours)) !== 0 && this.#month !== '') return;
    const at = this.atMillis(step);
    const month = utcMonth(at);
    if (month !== this.#month) {
      this.lentOfAccount.unitHours.fill(0);
      this.borrowedOfAccount.unitHours.fill(0);
      this.#month = month;
    }
    for (let place = 0; place < this.isOpen.length; place += 1) {
      this.isOpen[place] = this.participants.isOpen(place, at) ? 1 : 0;
    }
  }

  /** Counts a step's unit-hours under the consents. */
  countHours(): void {
    for (const usage of [this.lentOfAccount, this.borrowedOfAccount]) {
      for (let account = 0; account < usage.units.length; account += 1) {
        usage.unitHours[account] =
          (usage.unitHours[account] as number) + (usage.units[account] as number) * this.#stepHours;
      }
    }
  }

  /**
   * Units that the lender's consent and the scenario leave room for.
   * @param wanted units: limits of the consent that leave less are remembered
   */
  lendRoom(place: number, wanted = 0): number {
    const pool = this.pool(place);
    const limits = pool.lend ?? NO_LIMITS;
    const lent = this.book.lent[place] as number;
    const ofScenario = (this.scenario.maxLentPercent / 100) * pool.ownedUnits - lent;
    const ofShare = limits.maxShare * pool.ownedUnits - lent;
    const room = this.#room(this.lentOfAccount, pool, limits);
    this.#remember('lend', pool, { ...room, maxSharePercent: ofShare }, Math.min(wanted, ofScenario));
    return Math.min(ofScenario, ofShare, room.maxUnits, room.maxUnitHoursPerMonth);
  }

  /** Units that the borrower's consent leaves room for. @param wanted as for `lendRoom` */
  borrowRoom(place: number, wanted = 0): number {
    const pool = this.pool(place);
    const limits = pool.borrow ?? NO_LIMITS;
    const has = (this.book.borrowed[place] as number) + (this.book.starting[place] as number);
    const ofShare = limits.maxShare * pool.ownedUnits - has;
    const room = this.#room(this.borrowedOfAccount, pool, limits);
    this.#remember('borrow', pool, { ...room, maxSharePercent: ofShare }, wanted);
    return Math.min(ofShare, room.maxUnits, room.maxUnitHoursPerMonth);
  }

  #remember(side: 'lend' | 'borrow', { account }: Participant, room: Record<UsageLimit, number>, wanted: number): void {
    if (wanted <= LEAST_WANTED) return;
    for (const limit of USAGE_LIMITS) {
      if (this.lendable(room[limit]) >= wanted - LEAST_WANTED) continue;
      const name = `${side}.${limit}`;
      this.limitedBy.set(name, (this.limitedBy.get(name) ?? new Set()).add(account));
    }
  }

  /** Whether the unit-hours of the month of either account are used up: a loan between them is not renewed then. */
  isUsedUp(loan: ReplayLoan): boolean {
    const [lender, borrower] = [this.pool(loan.lender), this.pool(loan.borrower)];
    const left = (usage: Usage, { account }: Participant, limits: SideLimits | undefined) =>
      (limits ?? NO_LIMITS).maxUnitHoursPerMonth - (usage.unitHours[account] as number);
    // This step, and those until a recall brings the units back.
    const ahead = (1 + this.#longestRecallSteps) * this.#stepHours;
    return (
      left(this.lentOfAccount, lender, lender.lend) < ahead * (this.lentOfAccount.units[lender.account] as number) ||
      left(this.borrowedOfAccount, borrower, borrower.borrow) <
        ahead * (this.borrowedOfAccount.units[borrower.account] as number)
    );
  }

  make(lender: number, borrower: number, units: number, step: number): void {
    const [from, to] = [this.pool(lender), this.pool(borrower)];
    const activeStep = step + this.times.startUpSteps;
    const loan = {
      lender,
      borrower,
      units,
      startStep: step,
      activeStep,
      keptUntilStep: activeStep + this.shortestSteps(from, to),
      dueStep: activeStep + this.longestSteps(from, to),
    };
    this.book.make(loan);
    this.#use(loan, units);
  }

  /** Of the unit-hours of the month, those of the shortest loan and of what is out already are spoken for. */
  #room(
    usage: Usage,
    { account }: Participant,
    limits: SideLimits,
  ): Record<'maxUnits' | 'maxUnitHoursPerMonth', number> {
    const units = usage.units[account] as number;
    const steps = this.times.startUpSteps + this.#longestShortestSteps + this.#longestRecallSteps + 1;
    const hours = steps * this.#stepHours;
    const left = limits.maxUnitHoursPerMonth - (usage.unitHours[account] as number);
    return { maxUnits: limits.maxUnits - units, maxUnitHoursPerMonth: left / hours - units };
  }

  #use({ lender, borrower }: Pick<ReplayLoan, 'lender' | 'borrower'>, units: number): void {
    const add = (usage: Usage, place: number) => {
      const { account } = this.pool(place);
      usage.units[account] = Math.max(0, (usage.units[account] as number) + units);
    };
    add(this.lentOfAccount, lender);
    add(this.borrowedOfAccount, borrower);
  }
}
