/** A share as a whole number of percent. */
export function percentText(share: number): string {
  return `${Math.round(100 * share)} %`;
}
