import type { RequestView } from '../core/lending/request-view.ts';

/** What a cancelled request leaves. */
export interface CancelledRequest {
  readonly requestId: string;
  /** Id of the part that was asked for still. */
  readonly cancelled: string;
  readonly units: number;
  readonly givenBack: readonly string[];
}

/** The calls about the account's requests. */
export interface RequestCalls {
  /** Those of which a part is open still. */
  readonly requests: () => Promise<readonly RequestView[]>;
  readonly cancelRequest: (requestId: string) => Promise<CancelledRequest>;
}
