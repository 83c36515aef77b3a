/** What the level storage needs of a database: the few methods of abstract-level, by their shape. */

/** Keys and values go in and out as Uint8Array. */
export const VIEWS = { keyEncoding: 'view', valueEncoding: 'view' } as const

type Views = typeof VIEWS

/** One change in a batch. */
export type LevelOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** A range of keys to walk through. */
export interface LevelRange {
  readonly gte?: Uint8Array
  readonly lte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
  readonly highWaterMarkBytes?: number
}

/** Walks through a range; must be closed. */
export interface LevelIterator {
  nextv(size: number): Promise<(readonly [Uint8Array, Uint8Array])[]>
  close(): Promise<void>
}

/** An abstract-level database, such as classic-level's, memory-level's or browser-level's. */
export interface LevelDatabase {
  open(): Promise<void>
  close(): Promise<void>
  get(key: Uint8Array, options: Views): Promise<Uint8Array | undefined>
  getMany(keys: Uint8Array[], options: Views): Promise<(Uint8Array | undefined)[]>
  batch(operations: LevelOperation[], options: Views & { readonly sync?: boolean }): Promise<void>
  iterator(options: Views & LevelRange): LevelIterator
  /** Gives the space of deleted keys back; classic-level has it. */
  compactRange?(start: Uint8Array, end: Uint8Array, options: Pick<Views, 'keyEncoding'>): Promise<void>
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
