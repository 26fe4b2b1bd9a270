/** A source of numbers from 0 (included) to 1 (excluded). */
export type RandomSource = () => number;

const GOLDEN_STEP = 0x6d2b79f5;
const TWO_TO_32 = 4_294_967_296;

/**
 * Numbers that a seed determines, so that a forecast can be repeated: mulberry32, by Tommy Ettinger, in the public domain.
 * @param seed a whole number; its lowest 32 bits count
 */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  return () => {
    state = (state + GOLDEN_STEP) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32;
  };
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A seed from a name: FNV-1a over its UTF-16 code units. */
export function seedOf(name: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), FNV_PRIME);
  }
  return hash >>> 0;
}
