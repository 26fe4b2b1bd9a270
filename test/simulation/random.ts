/** Seeded pseudo-random numbers: the same seed gives the same run. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** sfc32 (Chris Doty-Humphrey, PractRand, public domain), seeded by splitmix32 over the seed and a label. */
  constructor(seed: number, label = '') {
    let state = seed >>> 0;
    for (let index = 0; index < label.length; index += 1) {
      state = Math.imul(state ^ label.charCodeAt(index), 0x9e3779b1) >>> 0;
    }
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = 1;
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** From 0 up to 1, 1 excluded. */
  next(): number {
    const sum = (((this.#a + this.#b) >>> 0) + this.#d) >>> 0;
    this.#d = (this.#d + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** @throws RangeError when there is nothing to pick from */
  pick<Item>(items: readonly Item[]): Item {
    const picked = items[Math.floor(this.next() * items.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  }
}
