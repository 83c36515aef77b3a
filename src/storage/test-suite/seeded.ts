/** Chance that a seed repeats. */

/** Draws numbers from a seed; a linear congruential generator is random enough to choose test steps. */
export class Seeded {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
    // Neighbouring seeds begin alike; a few draws set them apart.
    for (let i = 0; i < 4; i++) this.below(2)
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * limit)
  }
}
