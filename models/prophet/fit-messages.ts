/** One fit and what to predict with it. Times are whole seconds on an axis of the caller's own, ascending. */
export interface FitJob {
  readonly timesSeconds: readonly number[];
  /** The largest of their magnitudes is 1: so what the fit says of noise is in the same unit. */
  readonly values: readonly number[];
  readonly seasonalities: readonly {
    readonly name: string;
    readonly periodDays: number;
    readonly fourierOrder: number;
  }[];
  readonly predictSeconds: readonly number[];
}

/** What the fit says of `predictSeconds`, in the unit of the job's values. */
export interface FitResult {
  readonly points: readonly number[];
  /** Standard deviation of what the fit leaves unexplained. */
  readonly noise: number;
  /** Possible changes of the trend's slope within the fitted span. */
  readonly trendChanges: number;
  /** Mean magnitude of a change of the slope, which is a value per fitted span. */
  readonly trendChangeSize: number;
}

/** What a fitting thread reports: ready once, and then the outcome of each job. */
export type FitReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly result: FitResult }
  | { readonly kind: 'trap' | 'error'; readonly message: string };
