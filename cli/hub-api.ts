import type { AuditRecord, ChainHead } from '../core/audit/chain.ts';
import type { AccountBalance, LedgerEntry } from '../core/billing/ledger.ts';
import type { Consent, ConsentTerms, ConsentUsage } from '../core/consent/consent.ts';
import type { PoolCapacity } from '../core/lending/capacity.ts';
import type { LoanView } from '../core/lending/disclosure.ts';
import type { RequestView } from '../core/lending/request-view.ts';
import type { Stop, StoppedBy } from '../core/lending/stops.ts';
import type { OrganisationUnit, UnitAbove } from '../core/organisation.ts';
import type { Credits } from '../core/pairing/credits.ts';
import type { PairingView } from '../core/pairing/pairing-view.ts';
import type { PlanView } from '../core/pairing/plan.ts';
import type { Pool, PoolSpec } from '../core/pool.ts';
import type { TrustEvidence } from '../core/trust/evidence.ts';
import type { EvidenceRecord } from '../core/trust/record.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { UnitLimit } from '../core/unit-limits.ts';
import type { AccountId } from '../core/units.ts';
import type { HubClient } from './hub-client.ts';
import { HubRequestError } from './hub-client.ts';
import type { CancelledRequest, RequestCalls } from './hub-requests.ts';

/** The evidence that a record made; `recorded` is false when the same was known already. */
export interface TrustRecorded {
  readonly evidence: TrustEvidence;
  readonly recorded: boolean;
}

/** What a kill switch is about. */
export type SwitchTarget = { readonly all: true } | { readonly accountId: AccountId } | { readonly pairingId: string };

type ShownStop = Omit<Stop, 'actor'> & Partial<Pick<Stop, 'actor'>>;

/** The switches that are on, as the calling account may see them. */
export interface Switches {
  readonly organisation: ShownStop | null;
  readonly accounts: readonly ({ readonly accountId: AccountId } & Partial<Record<StoppedBy, ShownStop>>)[];
  readonly pairings: readonly (Pick<PairingView, 'pairingId' | 'lenderPoolId' | 'borrowerPoolId'> &
    Required<Pick<PairingView, 'stops'>>)[];
}

interface Organisation {
  readonly version: number;
  readonly units: readonly OrganisationUnit[];
}

/** What one request to stop has done. */
export interface StopAnswer {
  readonly answer: object;
  /** Loans that are on their way back. */
  readonly recalled: readonly string[];
  /** Loans that are still to be recalled: the request again goes on with them. */
  readonly left: number;
}

/** The units above the account; `organisation`, all of them, for the operator of the hub alone. */
export interface OrganisationAnswer {
  readonly unitsAbove: readonly UnitAbove[];
  readonly organisation?: Organisation;
}

export interface OrganisationReplaced {
  readonly organisation: Organisation;
  /** Accounts whose units or limits changed. */
  readonly changed: readonly AccountId[];
}

/** The hub's API with the shapes of its answers; everything is about the account whose credentials sign. */
export interface HubApi extends RequestCalls {
  readonly enrol: (spec: PoolSpec) => Promise<Pool>;
  readonly consent: () => Promise<{ readonly consent: Consent | null; readonly usage: ConsentUsage | undefined }>;
  readonly giveConsent: (terms: ConsentTerms) => Promise<Consent>;
  readonly revokeConsent: () => Promise<{ readonly consent: Consent; readonly recalled: readonly string[] }>;
  readonly loans: (openOnly?: boolean) => Promise<readonly LoanView[]>;
  readonly loan: (loanId: string) => Promise<LoanView>;
  /** Asks a loan back that the account has made; until `firmAt` its protected instances stay. */
  readonly recallLoan: (
    loanId: string,
    reason?: string,
  ) => Promise<{ readonly outcome: string; readonly firmAt: number }>;
  /** Asks for a longer term of a loan that the account has; what is decided stands in the loan. */
  readonly renewLoan: (loanId: string) => Promise<{ readonly dueAt: number | null }>;
  /** The plans of the account's pools. */
  readonly plans: () => Promise<readonly PlanView[]>;
  readonly pairings: (openOnly?: boolean) => Promise<readonly PairingView[]>;
  readonly acceptPairing: (pairingId: string) => Promise<PairingView>;
  /** Declines a proposal, or ends a pairing. */
  readonly endPairing: (pairingId: string) => Promise<PairingView>;
  /** The account's own score, with what it rests on, and what it lent more than it borrowed. */
  readonly trust: () => Promise<{ readonly trust: Trust; readonly credits: Credits }>;
  /** Records what the account has seen of another one: of a loan that it made, or, as the hub's operator, of an audit. */
  readonly recordTrust: (record: EvidenceRecord) => Promise<TrustRecorded>;
  readonly bills: () => Promise<{ readonly balance: AccountBalance; readonly entries: readonly LedgerEntry[] }>;
  /** Stops new loans of all accounts, of one, or of a pairing; with `recall` the open ones go back too. */
  readonly stop: (body: SwitchTarget & { readonly reason: string; readonly recall: boolean }) => Promise<StopAnswer>;
  readonly resume: (body: SwitchTarget & { readonly reason: string }) => Promise<unknown>;
  readonly switches: () => Promise<Switches>;
  /** States what the account allows at most of a pairing; null: no limit any more. */
  readonly limitPairing: (pairingId: string, limit: UnitLimit | null) => Promise<PairingView>;
  readonly organisation: () => Promise<OrganisationAnswer>;
  readonly putOrganisation: (units: readonly OrganisationUnit[]) => Promise<OrganisationReplaced>;
  /** What the account's pools lend and borrow, and could now; or one of them. */
  readonly capacities: (poolId?: string) => Promise<readonly PoolCapacity[]>;
  /** All records of the account's chain and its head. */
  readonly audit: () => Promise<{ readonly records: readonly AuditRecord[]; readonly head: ChainHead | null }>;
}

/** A field of an answer. @throws HubRequestError when the answer is of another API */
function field(answer: unknown, name: string): unknown {
  if (typeof answer === 'object' && answer !== null && name in answer) return (answer as Record<string, unknown>)[name];
  throw new HubRequestError(0, `the answer has no "${name}": is the URL that of an Entangle hub?`);
}

interface AuditPage {
  readonly records: readonly AuditRecord[];
  readonly head: ChainHead | null;
}

async function auditPage(client: HubClient, after: number): Promise<AuditPage> {
  const answer = await client.send('GET', `/audit?after=${after}`);
  return {
    records: field(answer, 'records') as readonly AuditRecord[],
    head: field(answer, 'head') as ChainHead | null,
  };
}

/** Pages until the head is reached, or until a page brings nothing new: then records are missing at the end. */
async function wholeAudit(client: HubClient): Promise<AuditPage> {
  const first = await auditPage(client, 0);
  const records = [...first.records];
  for (let last = records.at(-1)?.seq ?? 0; first.head !== null && last < first.head.seq; ) {
    const page = await auditPage(client, last);
    const next = page.records.at(-1)?.seq ?? last;
    if (next <= last) break;
    // What was written since the head was read is left out: the head would not cover it.
    records.push(...page.records.filter(({ seq }) => seq <= (first.head?.seq ?? 0)));
    last = next;
  }
  return { records, head: first.head };
}

const pairingPath = (pairingId: string): string => `/pairings/${encodeURIComponent(pairingId)}`;

/** The calls by which limits and the kill switch are set and seen. */
function controls(
  client: HubClient,
): Pick<HubApi, 'stop' | 'resume' | 'switches' | 'limitPairing' | 'organisation' | 'putOrganisation' | 'capacities'> {
  return {
    stop: async (body) => {
      const answer = await client.send('POST', '/switches/stop', body);
      const { left = 0 } = answer as { readonly left?: number };
      return { answer: answer as object, recalled: field(answer, 'recalled') as readonly string[], left };
    },
    resume: (body) => client.send('POST', '/switches/resume', body),
    limitPairing: async (pairingId, limit) =>
      field(await client.send('PUT', `${pairingPath(pairingId)}/limit`, { limit }), 'pairing') as PairingView,
    organisation: async () => {
      const answer = await client.send('GET', '/organisation');
      const whole = (answer as { readonly organisation?: Organisation } | null)?.organisation;
      const unitsAbove = field(answer, 'unitsAbove') as readonly UnitAbove[];
      return { unitsAbove, ...(whole === undefined ? {} : { organisation: whole }) };
    },
    putOrganisation: async (units) => {
      const answer = await client.send('PUT', '/organisation', { units });
      return {
        organisation: field(answer, 'organisation') as Organisation,
        changed: field(answer, 'changed') as readonly AccountId[],
      };
    },
    capacities: async (poolId) => {
      const query = poolId === undefined ? '' : `?pool=${encodeURIComponent(poolId)}`;
      return field(await client.send('GET', `/capacity${query}`), 'capacities') as readonly PoolCapacity[];
    },
    switches: async () => {
      const answer = await client.send('GET', '/switches');
      return {
        organisation: field(answer, 'organisation') as Switches['organisation'],
        accounts: field(answer, 'accounts') as Switches['accounts'],
        pairings: field(answer, 'pairings') as Switches['pairings'],
      };
    },
  };
}

export function hubApi(client: HubClient): HubApi {
  return {
    enrol: async (spec) => field(await client.send('PUT', '/pools', spec), 'pool') as Pool,
    consent: async () => {
      const answer = await client.send('GET', '/consent');
      const usage = (answer as { readonly usage?: ConsentUsage } | null)?.usage;
      return { consent: field(answer, 'consent') as Consent | null, usage };
    },
    giveConsent: async (terms) => field(await client.send('PUT', '/consent', terms), 'consent') as Consent,
    revokeConsent: async () => {
      const answer = await client.send('DELETE', '/consent');
      return { consent: field(answer, 'consent') as Consent, recalled: field(answer, 'recalled') as readonly string[] };
    },
    loans: async (openOnly = false) =>
      field(await client.send('GET', openOnly ? '/loans?state=open' : '/loans'), 'loans') as readonly LoanView[],
    requests: async () => field(await client.send('GET', '/requests'), 'requests') as readonly RequestView[],
    cancelRequest: async (requestId) =>
      (await client.send('DELETE', `/requests/${encodeURIComponent(requestId)}`)) as CancelledRequest,
    loan: async (loanId) => field(await client.send('GET', `/loans/${encodeURIComponent(loanId)}`), 'loan') as LoanView,
    recallLoan: async (loanId, reason) => {
      const body = reason === undefined ? {} : { reason };
      const answer = await client.send('POST', `/loans/${encodeURIComponent(loanId)}/recall`, body);
      return { outcome: field(answer, 'outcome') as string, firmAt: field(answer, 'firmAt') as number };
    },
    renewLoan: async (loanId) => {
      const answer = await client.send('POST', `/loans/${encodeURIComponent(loanId)}/renew`);
      return { dueAt: field(answer, 'dueAt') as number | null };
    },
    plans: async () => field(await client.send('GET', '/plan'), 'plans') as readonly PlanView[],
    pairings: async (openOnly = false) =>
      field(
        await client.send('GET', openOnly ? '/pairings?state=open' : '/pairings'),
        'pairings',
      ) as readonly PairingView[],
    acceptPairing: async (pairingId) =>
      field(await client.send('POST', `${pairingPath(pairingId)}/accept`), 'pairing') as PairingView,
    endPairing: async (pairingId) =>
      field(await client.send('DELETE', pairingPath(pairingId)), 'pairing') as PairingView,
    trust: async () => {
      const answer = await client.send('GET', '/trust');
      return { trust: field(answer, 'trust') as Trust, credits: field(answer, 'credits') as Credits };
    },
    recordTrust: async (record) => {
      const answer = await client.send('POST', '/trust/records', record);
      return {
        evidence: field(answer, 'evidence') as TrustEvidence,
        recorded: field(answer, 'recorded') as boolean,
      };
    },
    bills: async () => {
      const answer = await client.send('GET', '/bills');
      return {
        balance: field(answer, 'balance') as AccountBalance,
        entries: field(answer, 'entries') as readonly LedgerEntry[],
      };
    },
    ...controls(client),
    audit: () => wholeAudit(client),
  };
}
