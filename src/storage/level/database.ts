/** What the level storage needs of a database: the few methods of abstract-level, by their shape. */

/** Keys and values go in and out as Uint8Array. */
export const VIEWS = { keyEncoding: 'view', valueEncoding: 'view' } as const

/** The encodings that every call asks for. */
export type LevelViews = typeof VIEWS

/** Sets a key. */
export interface LevelPut {
  /** Always `put`. */
  readonly type: 'put'
  /** The key to set. */
  readonly key: Uint8Array
  /** Its value from then on. */
  readonly value: Uint8Array
}

/** Removes a key. */
export interface LevelDelete {
  /** Always `del`. */
  readonly type: 'del'
  /** The key to remove; fine when it is not there. */
  readonly key: Uint8Array
}

/** One change in a batch. */
export type LevelOperation = LevelPut | LevelDelete

/** A range of keys to walk through. */
export interface LevelRange {
  /** The first key; default the first there is. */
  readonly gte?: Uint8Array
  /** The last key; default the last there is. */
  readonly lte?: Uint8Array
  /** The first key beyond the range. */
  readonly lt?: Uint8Array
  /** Whether to walk from the end; default false. */
  readonly reverse?: boolean
  /** The most entries; default all. */
  readonly limit?: number
  /** The most bytes that one step of the walk reads ahead. */
  readonly highWaterMarkBytes?: number
}

/** Walks through a range; must be closed. */
export interface LevelIterator {
  /** Up to `size` entries more; none when the range has ended. */
  nextv(size: number): Promise<(readonly [Uint8Array, Uint8Array])[]>
  /** Lets go of the snapshot that it reads. */
  close(): Promise<void>
}

/** Walks through the keys of a range, and leaves the values where they are; must be closed. */
export interface LevelKeyIterator {
  /** Up to `size` keys more; none when the range has ended. */
  nextv(size: number): Promise<Uint8Array[]>
  /** Lets go of the snapshot that it reads. */
  close(): Promise<void>
}

/** An abstract-level database, such as classic-level's, memory-level's or browser-level's. */
export interface LevelDatabase {
  /** Opens it; fine when it is open. */
  open(): Promise<void>
  /** Closes it; fine when it is closed. */
  close(): Promise<void>
  /** The value of a key; undefined when there is none. */
  get(key: Uint8Array, options: LevelViews): Promise<Uint8Array | undefined>
  /** The values of keys, in their order; `fillCache` says whether the store keeps what it read for the next time. */
  getMany(
    keys: Uint8Array[],
    options: LevelViews & { readonly fillCache?: boolean },
  ): Promise<(Uint8Array | undefined)[]>
  /** Makes all changes or none; with `sync` they are on the disk when it resolves. */
  batch(operations: LevelOperation[], options: LevelViews & { readonly sync?: boolean }): Promise<void>
  /** Walks through a range of keys, as it is when the walk begins. */
  iterator(options: LevelViews & LevelRange): LevelIterator
  /** Walks through the keys of a range, as it is when the walk begins. */
  keys(options: LevelViews & LevelRange): LevelKeyIterator
  /** Gives the space of deleted keys back; classic-level has it. */
  compactRange?(start: Uint8Array, end: Uint8Array, options: Pick<LevelViews, 'keyEncoding'>): Promise<void>
}

/** All entries of a range; for ranges whose size the caller bounds. */
export const readRange = async (
  database: LevelDatabase,
  range: LevelRange & { readonly limit: number },
): Promise<(readonly [Uint8Array, Uint8Array])[]> => {
  const iterator = database.iterator({ ...VIEWS, ...range })
  try {
    const entries: (readonly [Uint8Array, Uint8Array])[] = []
    while (entries.length < range.limit) {
      const more = await iterator.nextv(range.limit - entries.length)
      if (more.length === 0) break
      entries.push(...more)
    }
    return entries
  } finally {
    await iterator.close()
  }
}
