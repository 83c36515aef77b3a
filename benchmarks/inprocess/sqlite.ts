/** The peer better-sqlite3: a log as a table, in WAL mode, a batch a transaction. */
import { join } from 'node:path'
import type { ReadySubject } from '../harness/benchmark.js'
import { loadPeer } from '../harness/peers.js'
import { withTempFolder } from '../harness/temp-folder.js'
import { batchCountOf, makeValues, perSecond, Reader, type InprocessSettings } from './workload.js'

interface Row {
  readonly offset: number
  readonly value: Uint8Array
}
/** The few methods that are used; the peer need not be installed for this to compile. */
interface Database {
  pragma(text: string): unknown
  exec(text: string): unknown
  prepare(text: string): { run(...values: unknown[]): unknown; all(...values: unknown[]): Row[] }
  transaction(work: (batch: number) => void): (batch: number) => void
  close(): void
}

export const prepareSqlite = async (settings: InprocessSettings): Promise<ReadySubject> => {
  const Sqlite = loadPeer('better-sqlite3') as new (path: string) => Database
  const values = makeValues(settings)
  return {
    sample: () =>
      withTempFolder(async (folder) => {
        const database = new Sqlite(join(folder, 'log.db'))
        try {
          database.pragma('journal_mode = WAL')
          // With WAL this survives the process, not the power: what Ottla's default on LevelDB promises as well.
          database.pragma('synchronous = NORMAL')
          database.exec(
            `CREATE TABLE log (partition INTEGER, offset INTEGER, timestamp INTEGER, key BLOB, value BLOB,
             PRIMARY KEY (partition, offset)) WITHOUT ROWID`,
          )
          return {
            produce: await perSecond(settings, () => produce(database, settings, values)),
            ...(await consume(database, settings)),
          }
        } finally {
          database.close()
        }
      }),
  }
}

const produce = (database: Database, settings: InprocessSettings, values: readonly Uint8Array[]): void => {
  const insert = database.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)')
  const append = database.transaction((batch) => {
    const partition = batch % settings.partitions
    const base = Math.floor(batch / settings.partitions) * settings.recordsPerBatch
    const timestamp = Date.now()
    for (let index = 0; index < values.length; index++) {
      insert.run(partition, base + index, timestamp, null, values[index])
    }
  })
  for (let batch = 0; batch < batchCountOf(settings); batch++) append(batch)
}

/** It has one way to read, which both ways of Ottla are held against. */
const consume = async (
  database: Database,
  settings: InprocessSettings,
): Promise<{ consume: number; 'consume-iterator': number }> => {
  const select = database.prepare(
    'SELECT offset, timestamp, key, value FROM log WHERE partition = ? AND offset >= ? ORDER BY offset LIMIT ?',
  )
  const reader = new Reader(settings)
  const rate = await perSecond(settings, () => {
    for (let partition = 0; partition < settings.partitions; partition++) {
      for (let offset = 0; ; offset += settings.recordsPerBatch) {
        const rows = select.all(partition, offset, settings.recordsPerBatch)
        if (rows.length === 0) break
        for (const row of rows) reader.see(row.offset, row.value)
      }
    }
  })
  reader.check()
  return { consume: rate, 'consume-iterator': rate }
}
