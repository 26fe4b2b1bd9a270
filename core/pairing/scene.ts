import type { Pool } from '../pool.ts';
import type { PoolId } from '../units.ts';
import type { PairCandidate, PairContext } from './assess.ts';
import { screenPair, unitHourWeight } from './assess.ts';
import type { BucketInput } from './bucket.ts';
import { instanceSizes } from './instance-sizes.ts';
import type { LenderScreening } from './lender-screen.ts';
import { LenderScreen } from './lender-screen.ts';
import { restReason } from './merge.ts';
import { pairContext } from './pair.ts';
import type { Pairing } from './pairing.ts';
import { isOpenPairing } from './pairing.ts';
import { preferencesOf } from './preferences.ts';

/** Candidates of one borrower that may stand by for it, the best; those that are matched may be any. */
const CANDIDATES_MAX = 100;
/** Refused candidates that a plan names, so that it fits in one DynamoDB item; it counts all of them. */
const REFUSED_MAX = 20;

const NOTHING_OFFERED: LenderScreening = { lenders: [], refused: [], refusedByGate: {}, weights: undefined };

/** Partners that a pool may have on either side. */
export interface PartnerLimits {
  readonly lenders: number;
  readonly borrowers: number;
}

/** The pools of a bucket as its plan sees them: by place in the order of their ids, nothing kept of pairs but what is offered. */
export class Scene {
  readonly input: BucketInput;
  /** Those that are planned for and the guests, by id. */
  readonly pools: readonly Pool[];
  readonly context: PairContext;
  /** Of each pool as a borrower. */
  readonly screenings: readonly LenderScreening[];
  readonly limits: readonly PartnerLimits[];
  /** How large a unit of a type is in the units that matching counts in. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly #placeOf: ReadonlyMap<string, number>;
  readonly #guests: ReadonlySet<string>;
  /** What is stored of pairs of these pools, by the places of both. */
  readonly #stored = new Map<number, Pairing>();
  readonly #candidates = new Map<number, PairCandidate | undefined>();

  constructor(input: BucketInput) {
    const { guests = [] } = input;
    this.input = input;
    this.pools = [...input.pools, ...guests].sort((a, b) => (a.spec.poolId < b.spec.poolId ? -1 : 1));
    this.context = pairContext(input);
    this.#placeOf = new Map(this.pools.map(({ spec }, place) => [spec.poolId, place]));
    this.#guests = new Set(guests.map(({ spec }) => spec.poolId));
    for (const pairing of input.existing) {
      const [lender, borrower] = [this.placeOf(pairing.lenderPoolId), this.placeOf(pairing.borrowerPoolId)];
      if (lender !== undefined && borrower !== undefined) this.#stored.set(this.#key(lender, borrower), pairing);
    }
    const screen = new LenderScreen(this.pools, this.context, {
      most: CANDIDATES_MAX,
      mostRefused: REFUSED_MAX,
      isGuest: (lender) => this.isGuest(lender),
      keeps: (lender, borrower) => this.isOpen(lender, borrower),
      rests: (lender, borrower) => restReason(this.#stored.get(this.#key(lender, borrower)), input.now) !== undefined,
    });
    const screenings = this.pools.map(() => NOTHING_OFFERED);
    for (const borrower of screen.borrowers()) {
      if (!this.isGuest(borrower)) screenings[borrower] = screen.screen(borrower);
    }
    this.screenings = screenings;
    this.limits = this.#limits();
    const substitutes = screen.substitutes.flatMap(({ lender, borrower }) => this.candidate(lender, borrower) ?? []);
    this.sizes = instanceSizes(substitutes);
  }

  #key(lender: number, borrower: number): number {
    return lender * this.pools.length + borrower;
  }

  #limits(): PartnerLimits[] {
    const { lentElsewhere = {} } = this.input;
    const kept = new Map<number, number>();
    for (const [lender] of this.open()) kept.set(lender, (kept.get(lender) ?? 0) + 1);
    return this.pools.map(({ spec }, place) => {
      const { maxPartners, maxBorrowers } = preferencesOf(this.context.consentOf(spec.accountId)?.terms);
      // A guest goes on with those that have it already. Its own part counts them, and gives way to them.
      if (this.isGuest(place)) return { lenders: 0, borrowers: Math.min(maxBorrowers, kept.get(place) ?? 0) };
      return { lenders: maxPartners, borrowers: Math.max(0, maxBorrowers - (lentElsewhere[spec.poolId] ?? 0)) };
    });
  }

  placeOf(poolId: PoolId): number | undefined {
    return this.#placeOf.get(poolId);
  }

  pool(place: number): Pool {
    return this.pools[place] as Pool;
  }

  isGuest(place: number): boolean {
    return this.#guests.size > 0 && this.#guests.has(this.pool(place).spec.poolId);
  }

  isOpen(lender: number, borrower: number): boolean {
    const stored = this.#stored.get(this.#key(lender, borrower));
    return stored !== undefined && isOpenPairing(stored);
  }

  /** The pairings of these pools that are open, with the places of both. */
  open(): (readonly [lender: number, borrower: number, pairing: Pairing])[] {
    return [...this.#stored]
      .filter(([, pairing]) => isOpenPairing(pairing))
      .sort(([a], [b]) => a - b)
      .map(([key, pairing]) => [Math.floor(key / this.pools.length), key % this.pools.length, pairing]);
  }

  /** A pair in full; undefined where a gate refuses it or a party wants it to rest. */
  candidate(lender: number, borrower: number): PairCandidate | undefined {
    const key = this.#key(lender, borrower);
    if (this.#candidates.has(key)) return this.#candidates.get(key);
    const screened = screenPair(this.pool(lender), this.pool(borrower), this.context);
    const rests = restReason(this.#stored.get(key), this.input.now) !== undefined;
    const candidate = 'gate' in screened || rests ? undefined : screened;
    this.#candidates.set(key, candidate);
    return candidate;
  }

  /** What a unit-hour of the borrower's counts between two pools, 0 where it is no candidate. */
  weight(lender: number, borrower: number): number {
    const known = this.screenings[borrower]?.weights?.[lender];
    if (known !== undefined) return known;
    if (this.isGuest(lender) && !this.isOpen(lender, borrower)) return 0;
    const candidate = this.candidate(lender, borrower);
    return candidate === undefined ? 0 : unitHourWeight(candidate);
  }
}
