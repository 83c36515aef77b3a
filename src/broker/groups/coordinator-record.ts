/** A record of `__consumer_offsets` that is to be written. */

/** Its value is null where it removes what the key names. */
export interface CoordinatorRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}
