/**
 * One of those who fight for a folder: several loops in a process, one of them in a worker thread, each of which opens
 * the storage, writes a batch and closes it. Who holds it says so in a file that all of them append to; lines of that
 * length are written whole, one after another.
 */
import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { isMainThread, threadId, Worker } from 'node:worker_threads'
import type { LogStorage } from '../../../src/storage/contract.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { SeededRandom } from '../../support/seeded-random.js'
import { HEADER_BYTES } from '../../../src/record/header.js'
import { say } from './say.js'
import { asBatch } from './script.js'

/** The partition that holders write. */
export const HELD_PARTITION = { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 }
const LOOPS_A_THREAD = 2
/** How long one rests at most before it tries again, and while it holds the folder. */
const REST_MS = 6
const HOLD_MS = 40

/** Fights until it is killed; `rest` is the ledger and a seed. */
export const hold = async (
  create: (location: string) => LogStorage,
  folder: string,
  [ledger = '', seed = '0']: readonly string[],
): Promise<void> => {
  if (isMainThread) {
    const worker = new Worker(process.argv[1] ?? '', { argv: process.argv.slice(2) })
    worker.on('error', (error) => {
      say(`failed ${String(error)}\n`)
    })
  }
  const random = new SeededRandom(Number(seed) + process.pid * 31 + threadId)
  const fight = async (loop: number): Promise<void> => {
    const id = `${process.pid}/${threadId}/${loop}`
    for (let turn = 0; ; turn++) {
      const storage = create(folder)
      try {
        await storage.open()
      } catch (error) {
        if (!OttlaError.is(error, 'STORAGE_LOCKED')) throw error
        await pause(random.below(REST_MS))
        continue
      }
      appendFileSync(ledger, `hold ${id}\n`)
      const partition = await storage.partition(HELD_PARTITION)
      const baseOffset = partition.state.endOffset
      const content = Buffer.from(`${' '.repeat(HEADER_BYTES)}${id} ${turn}`)
      const batch = asBatch(content, baseOffset, 1, 0)
      await partition.append([batch], { durability: 'os' })
      appendFileSync(ledger, `wrote ${id} ${turn} ${baseOffset}\n`)
      if (random.below(2) === 0) await pause(random.below(HOLD_MS))
      appendFileSync(ledger, `free ${id}\n`)
      await storage.close()
      if (random.below(2) === 0) await pause(random.below(REST_MS))
    }
  }
  try {
    await Promise.all(Array.from({ length: LOOPS_A_THREAD }, (_, loop) => fight(loop)))
  } catch (error) {
    say(`failed ${String(error)}\n`)
  }
}
