import type { FunctionName, LinkedRoleKind } from './names.ts';

/** The functions that enter linked accounts: the hub lets them, and each linked account trusts exactly them. */
export const LINKED_ROLE_USERS: Readonly<Record<LinkedRoleKind, readonly FunctionName[]>> = {
  Observe: [
    'on-recovery',
    'assess',
    'choose',
    'activate',
    'renew',
    'collect',
    'look-ahead',
    'measure-capacity',
    'reconcile',
    'api',
  ],
  Adjust: ['move-ceiling'],
};
