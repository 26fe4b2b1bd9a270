/** A failure to order: the next `times` matching AWS calls fail. */
export interface Fault {
  /** As in IAM actions: `dynamodb`, `autoscaling`, `sts`, `states`, `events`, `lambda`, `cloudwatch`, `scheduler`, `s3`. */
  readonly service: string;
  /** The API action, `PutItem`; `Invoke` fails a Lambda function however it is called, also from Step Functions. */
  readonly action: string;
  /** Only calls made in this account. Default: any. */
  readonly accountId?: string;
  /** Only calls whose path or body contains this text; for `Invoke`: whose function name contains it. */
  readonly match?: string;
  /** How many calls fail. Default: 1. SDKs retry throttling and server errors, and each try counts. */
  readonly times?: number;
  readonly errorCode: string;
  /** Default: 500 for server errors, else 400. */
  readonly statusCode?: number;
  readonly message?: string;
  /** `after`: the call takes effect and only its answer is lost. Default: `before`. */
  readonly when?: 'before' | 'after';
}

/** How instances of Auto Scaling groups behave from now on; without names: of all groups. */
export interface InstanceBehaviour {
  readonly accountId?: string;
  readonly groupName?: string;
  /** Pending → InService. Default: 0. */
  readonly startSeconds?: number;
  /** Terminating → gone. Default: 0. */
  readonly stopSeconds?: number;
  /** So many launches fail; the group tries again every second. Default: 0. */
  readonly failLaunches?: number;
  /** Default: InsufficientInstanceCapacity. */
  readonly errorCode?: string;
}

/** How Capacity Reservations behave from now on. */
export interface ReservationBehaviour {
  /** From asking for an interruptible allocation, or for a change of one, until it is there. Default: 0.2. */
  readonly settleSeconds?: number;
  /** From the warning of an instance in a reservation that is reclaimed until it is ended. Default: 120. */
  readonly warningSeconds?: number;
}

/** An EC2 quota of an account from now on. */
export interface VcpuQuota {
  readonly accountId: string;
  /** Dimension `Class` of its usage metric: `Standard/OnDemand`. */
  readonly class: string;
  /** null: none is known. */
  readonly vcpus: number | null;
}

/** One AWS API call the emulator answered. */
export interface EmulatorCall {
  readonly seq: number;
  readonly atMillis: number;
  /** The account the call was made in. */
  readonly accountId: string;
  readonly service: string;
  readonly action: string;
  readonly principalArn?: string;
  readonly statusCode?: number;
  /** DynamoDB writes: the write units consumed. */
  readonly writeUnits?: number;
  /** Lambda invocations: the function's name. */
  readonly resource?: string;
  /** The error code of the ordered fault this call suffered. */
  readonly fault?: string;
}

/** Control endpoints of the embedded emulator. */
export interface EmulatorControl {
  addFault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  setInstances(behaviour: InstanceBehaviour): Promise<void>;
  setReservations(behaviour: ReservationBehaviour): Promise<void>;
  setQuota(quota: VcpuQuota): Promise<void>;
  /** Calls with a number above `sinceSeq` (default 0: all that are kept, at most 200,000). */
  calls(sinceSeq?: number): Promise<EmulatorCall[]>;
  resetCalls(): Promise<void>;
}

/** @throws Error naming the endpoint, the answer and the emulator's log file. */
export function connectControl(endpoint: string, logFile: string): EmulatorControl {
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${endpoint}/_entangle/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${method} /_entangle/${path} answered ${response.status}: ${text} (log: ${logFile})`);
    return JSON.parse(text);
  };
  return {
    addFault: async (fault) => void (await ask('POST', 'faults', fault)),
    clearFaults: async () => void (await ask('DELETE', 'faults')),
    setInstances: async (behaviour) => void (await ask('PUT', 'instances', behaviour)),
    setReservations: async (behaviour) => void (await ask('PUT', 'reservations', behaviour)),
    setQuota: async (quota) => void (await ask('PUT', 'quotas', quota)),
    calls: async (sinceSeq = 0) => {
      const answer = (await ask('GET', `calls?since=${sinceSeq}`)) as { calls: EmulatorCall[] };
      return answer.calls;
    },
    resetCalls: async () => void (await ask('POST', 'reset-calls')),
  };
}

/** The control of an endpoint that is not ours: everything rejects. */
export function refuseControl(endpoint: string): EmulatorControl {
  const refuse = async (): Promise<never> => {
    throw new Error(
      `${endpoint} (AWS_ENDPOINT_URL) has no control endpoints: unset AWS_ENDPOINT_URL to use the embedded emulator`,
    );
  };
  return {
    addFault: refuse,
    clearFaults: refuse,
    setInstances: refuse,
    setReservations: refuse,
    setQuota: refuse,
    calls: refuse,
    resetCalls: refuse,
  };
}
