import { GENESIS } from '../../core/audit/chain.ts';
import { BORROWER, LENDER } from '../support/fixtures.ts';
import { loanStoreContract } from '../support/loan-store-contract.ts';
import { MemoryStore } from '../support/memory-store.ts';

loanStoreContract('memory', async () => {
  const store = new MemoryStore();
  return {
    store,
    parties: { borrower: BORROWER, lender: LENDER },
    putPool: async (pool) => store.putPool(pool),
    putConsent: async (consent) => store.putConsent(consent),
    putPairing: async (lender, borrower, state) => {
      if (state === 'active') store.inactivePairs.delete(`${lender} ${borrower}`);
      else store.inactivePairs.add(`${lender} ${borrower}`);
    },
    stop: async (account) => void store.stopped.add(account),
    poolOf: async (id) => store.poolOf(id),
    usageOf: async (account) => store.usageOf(account),
    ledgerOf: async (account) => [...store.ledger.values()].filter((entry) => entry.accountId === account),
    chainOf: async (account) => ({
      records: store.audit.get(account) ?? [],
      head: store.heads.get(account) ?? GENESIS,
    }),
  };
});
