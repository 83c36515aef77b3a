/** The Random seam: the only source of chance, so a simulated run can be repeated from its seed. */

/** Where Ottla takes randomness from. */
export interface Random {
  /** A number in [0, 1), for jitter and sampling. */
  next(): number
  /** `length` unpredictable bytes, for ids. */
  bytes(length: number): Uint8Array
}

/** The platform's own randomness. */
export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
}
