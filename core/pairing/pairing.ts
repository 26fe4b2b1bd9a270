import type { AuditEvent, Sha256Hex } from '../audit/chain.ts';
import type { UnitLimit } from '../unit-limits.ts';
import type { AccountId, EpochMillis, PoolId } from '../units.ts';
import type { SavingInterval } from './savings.ts';

declare const brand: unique symbol;
/** `pr-` and 24 hexadecimal digits, derived from both pools. */
export type PairingId = string & { readonly [brand]: 'PairingId' };
declare const circleBrand: unique symbol;
/** `ci-` and 24 hexadecimal digits, derived from two of the pools that founded the circle. */
export type CircleId = string & { readonly [circleBrand]: 'CircleId' };

/**
 * proposed → accepted-by-one → active ⇄ paused → ended; every state but `ended` may end.
 *
 * Loans are made of active pairings only. A pairing that ended is never revived: the pair is proposed anew, under the same id.
 */
export const PAIRING_STATES = ['proposed', 'accepted-by-one', 'active', 'paused', 'ended'] as const;
export type PairingState = (typeof PAIRING_STATES)[number];

/** Why a pairing is paused. */
export type PauseReason = 'drift' | 'trust-lost' | 'consent-revoked' | 'stopped' | 'ceiling-not-fixed';
/** Why a pairing has ended. */
export type EndReason = 'declined' | 'ended-by-party' | 'expired' | 'no-longer-planned' | 'gate';

/** The agreement of one side. */
export interface Acceptance {
  readonly accountId: AccountId;
  /** The consent under which it was accepted. */
  readonly consentVersion: number;
  /** `standing`: the consent accepts pairings by itself. */
  readonly by: 'standing' | 'explicit';
  /** ARN of the principal that accepted, or that made the consent. */
  readonly actor: string;
  readonly at: EpochMillis;
}

/** What one party allows at most of a pairing. */
export interface PairingLimit extends UnitLimit {
  readonly accountId: AccountId;
}

/** A party has stopped a pairing by its kill switch. */
export interface PairingStop {
  readonly accountId: AccountId;
  /** ARN of the principal that stopped. */
  readonly actor: string;
  readonly at: EpochMillis;
  readonly reason: string;
  /** Whether its open loans are recalled too. */
  readonly recall: boolean;
}

/** What a plan says of a pair. */
export interface PairingFigures {
  /** Units by slot of the horizon. */
  readonly expectedUnits: readonly number[];
  readonly confidence: number;
  readonly savingMicroUsd: SavingInterval;
  /** What enrolling says of both pools: each party may read it. */
  readonly reasons: readonly string[];
  /** What the forecasts of both say: for a party where the other's consent has `dataAccess: 'metrics-only'`. */
  readonly metricReasons: readonly string[];
}

/** Two pools of which one may lend to the other, and how far both have agreed. Written conditional on `version`. */
export interface Pairing extends PairingFigures {
  readonly pairingId: PairingId;
  /** 1 when it is proposed for the first time; goes on when the pair is proposed anew. */
  readonly version: number;
  readonly state: PairingState;
  readonly lenderPoolId: PoolId;
  readonly lenderAccountId: AccountId;
  readonly borrowerPoolId: PoolId;
  readonly borrowerAccountId: AccountId;
  /** The circle that both pools are in by the newest plan; absent: they are partners by themselves. */
  readonly circleId?: CircleId;
  /** At most one a side. */
  readonly acceptances: readonly Acceptance[];
  readonly proposedAt: EpochMillis;
  /** When the figures were computed. */
  readonly plannedAt: EpochMillis;
  readonly activeAt?: EpochMillis;
  readonly pausedFor?: PauseReason;
  readonly pausedAt?: EpochMillis;
  /** Limits that its parties have stated for it: the lender's on its units lent, the borrower's on its units borrowed. Absent: none. */
  readonly limits?: readonly PairingLimit[];
  /** Who has stopped it: one entry a party at most. While there is any, nothing makes it active. Absent: nobody has. */
  readonly stops?: readonly PairingStop[];
  readonly endReason?: EndReason;
  readonly endedAt?: EpochMillis;
  /** Plans in a row that did not have the pair. */
  readonly plansWithout: number;
}

/** An event for the bus: what both parties may read. */
export interface PairingEvent {
  readonly detailType:
    | 'Entangle Pairing Proposed'
    | 'Entangle Pairing Accepted'
    | 'Entangle Pairing Active'
    | 'Entangle Pairing Paused'
    | 'Entangle Pairing Ended';
  readonly at: EpochMillis;
  readonly detail: {
    /** The same for each delivery of the event: the pairing and its version. It may come more than once. */
    readonly eventId: string;
    readonly pairingId: PairingId;
    /** Grows with each change of the pairing: events may come out of order. */
    readonly version: number;
    readonly state: PairingState;
    readonly lenderPoolId: PoolId;
    readonly lenderAccountId: AccountId;
    readonly borrowerPoolId: PoolId;
    readonly borrowerAccountId: AccountId;
    readonly circleId?: CircleId;
    readonly reason?: PauseReason | EndReason;
  };
}

/** A change of a pairing with everything that is written along with it. */
export interface PairingChange {
  readonly pairing: Pairing;
  /** The version that must stand in the store; absent: there must be none. */
  readonly expectedVersion?: number;
  /** In the chain of the account concerned. */
  readonly audit: AuditEvent;
  /** In the chain of the other party: without what only the account concerned may read. */
  readonly counterpartAudit: AuditEvent;
  readonly event: PairingEvent;
}

/** A transition that is not allowed, in a sentence for who asked for it. */
export interface TransitionRefusal {
  readonly refused: true;
  readonly code: 'not-a-party' | 'wrong-state' | 'already-accepted' | 'consent' | 'already-open';
  readonly reason: string;
}

const PAIRING_ID_HEX_DIGITS = 24;

/** The id of a pair: the same two pools in the same roles always have the same one. */
export function pairingIdOf(lender: PoolId, borrower: PoolId, sha256: Sha256Hex): PairingId {
  return `pr-${sha256(`pairing\n${lender}\n${borrower}`).slice(0, PAIRING_ID_HEX_DIGITS)}` as PairingId;
}

/** States in which a pairing counts. */
export function isOpenPairing({ state }: Pick<Pairing, 'state'>): boolean {
  return state !== 'ended';
}
