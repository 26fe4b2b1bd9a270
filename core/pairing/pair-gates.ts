import type { Consent } from '../consent/consent.ts';
import type { Pool } from '../pool.ts';
import type { PairContext } from './assess.ts';
import { consentRefusal, standInRatio } from './consent-gate.ts';
import type { Gate } from './gates.ts';
import { preferencesOf } from './preferences.ts';

/** What gates look at in a pool. */
function poolFacts({ spec, raisesOwnCeiling }: Pool): unknown[] {
  const { region, azIds, instanceType, platform, tenancy, storageType, networkGbps } = spec;
  const { lendsAs, encryptedAtRest, isolation, application } = spec;
  const place = [region, azIds, lendsAs];
  const make = [instanceType, platform, tenancy, storageType, networkGbps, encryptedAtRest, isolation];
  return [place, make, application, raisesOwnCeiling === true];
}

/** What gates look at in a consent, on one side: not how much may be lent, or with how many. */
function termFacts(consent: Consent | undefined, side: 'lend' | 'borrow'): unknown[] {
  if (consent === undefined) return [];
  const { lend, borrow, maxPartners: _partners, pairingAcceptance: _acceptance, ...others } = consent.terms;
  const { dataAccess: _access, whenNoPartner: _without, waitAtMostSeconds: _wait, ...terms } = others;
  const limits = { maxUnits: 0, maxSharePercent: 0, maxUnitHoursPerMonth: 0 };
  const own = side === 'lend' ? lend && { ...lend, ...limits } : borrow && { ...borrow, ...limits };
  return [consent.status, terms, own];
}

/** The accounts that any consent names as its counterparties: of the others only the facts matter. */
function namedAccounts(consents: readonly (Consent | undefined)[]): ReadonlySet<string> {
  return new Set(
    consents.flatMap((each) => [
      ...(each?.terms.allowedCounterparties ?? []),
      ...(each?.terms.deniedCounterparties ?? []),
    ]),
  );
}

/** The class of each pool on one side: pools of a class pass the same gates with everybody else's. */
function classesOf(pools: readonly Pool[], context: PairContext, side: 'lend' | 'borrow') {
  const consents = new Map(pools.map(({ spec }) => [spec.accountId, context.consentOf(spec.accountId)]));
  const all = [...consents.values()];
  const named = namedAccounts(all);
  const floors = [...new Set(all.map((consent) => preferencesOf(consent?.terms).trustFloor))];
  const accountFacts = new Map(
    [...consents].map(([account, consent]) => {
      const trust = context.trustOf(account);
      // A floor asks whether trust reaches it, not by how much.
      const reached = trust === undefined ? -1 : floors.filter((floor) => trust >= floor).length;
      return [account, [termFacts(consent, side), reached, named.has(account) ? account : '']];
    }),
  );
  const numbers = new Map<string, number>();
  const classOf = Int32Array.from(pools, (pool) => {
    const { spec } = pool;
    const isByName = (consents.get(spec.accountId)?.terms.groupNames.length ?? 0) > 0;
    const facts = [poolFacts(pool), accountFacts.get(spec.accountId), isByName ? spec.groupName : ''];
    const key = JSON.stringify(facts);
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
  return { classOf, count: numbers.size };
}

/** Whether a pair passes the gates, and by what unit ratio. */
export interface GateAnswer {
  /** The first gate that refuses; undefined: all that do not look at forecasts let it pass. */
  readonly gate?: Gate;
  readonly unitRatio: number;
}

/** Answers that are kept at a time. */
const ANSWERS_KEPT = 4_000_000;
const SAME_ACCOUNT: GateAnswer = { gate: 'same-account', unitRatio: 1 };

/**
 * The gates that do not look at forecasts, asked once for each two classes of pools whose facts and consents are equal: in a
 * bucket of thousands of pools there are few. The answers are those of screenPair, without the sentences.
 */
export class PairGates {
  readonly #pools: readonly Pool[];
  readonly #context: PairContext;
  readonly #lenders: ReturnType<typeof classesOf>;
  readonly #borrowers: ReturnType<typeof classesOf>;
  readonly #accounts: Int32Array;
  /** By the class of the borrower, then of the lender. */
  readonly #rows = new Map<number, (GateAnswer | undefined)[]>();
  /** One object for each answer that there is. */
  readonly #known = new Map<string, GateAnswer>();

  constructor(pools: readonly Pool[], context: PairContext) {
    this.#pools = pools;
    this.#context = context;
    this.#lenders = classesOf(pools, context, 'lend');
    this.#borrowers = classesOf(pools, context, 'borrow');
    const numbers = new Map([...new Set(pools.map(({ spec }) => spec.accountId))].map((id, index) => [id, index]));
    this.#accounts = Int32Array.from(pools, ({ spec }) => numbers.get(spec.accountId) ?? -1);
  }

  /** The class of a pool as a borrower. Answers are quickest for borrowers of one class after the other. */
  borrowerClass(borrower: number): number {
    return this.#borrowers.classOf[borrower] as number;
  }

  /** By the places of both pools. */
  answer(lender: number, borrower: number): GateAnswer {
    if (this.#accounts[lender] === this.#accounts[borrower]) return SAME_ACCOUNT;
    const row = this.#rowOf(this.borrowerClass(borrower));
    const lenders = this.#lenders.classOf[lender] as number;
    const known = row[lenders];
    if (known !== undefined) return known;
    const found = this.#ask(this.#pools[lender] as Pool, this.#pools[borrower] as Pool);
    row[lenders] = found;
    return found;
  }

  #rowOf(borrowers: number): (GateAnswer | undefined)[] {
    const known = this.#rows.get(borrowers);
    if (known !== undefined) return known;
    // Where every account has terms of its own there are as many classes as pools: not all rows are kept then.
    if (this.#rows.size * this.#lenders.count > ANSWERS_KEPT) this.#rows.clear();
    const row = Array.from<GateAnswer | undefined>({ length: this.#lenders.count });
    this.#rows.set(borrowers, row);
    return row;
  }

  #ask(lender: Pool, borrower: Pool): GateAnswer {
    const consents = {
      lender: this.#context.consentOf(lender.spec.accountId),
      borrower: this.#context.consentOf(borrower.spec.accountId),
    };
    const standIn = standInRatio(lender.spec, borrower.spec, consents);
    const refusal = 'gate' in standIn ? standIn : consentRefusal(lender, borrower, this.#context);
    const unitRatio = 'gate' in standIn ? 1 : standIn.unitRatio;
    const key = `${refusal?.gate ?? ''} ${unitRatio}`;
    const answer = this.#known.get(key) ?? { ...(refusal === undefined ? {} : { gate: refusal.gate }), unitRatio };
    this.#known.set(key, answer);
    return answer;
  }
}
