/** Follows the scripts of all partitions at once, until it dies or the storage fails. */
import type { LogStorage } from '../../../src/storage/contract.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { say } from './say.js'
import { MAX_IN_FLIGHT, modelOf, PARTITION_IDS, perform, Script, type Asked } from './script.js'

/** Who gets this far waits for its death. */
const MAX_STEPS = 20_000
/** How many steps are tried once a storage has failed: none may be acknowledged. */
const STEPS_AFTER_FAILURE = 20

/** Opens the storage. Says `ready`, then `PARTITION STEP` for every step that was acknowledged, and `failed CODE MESSAGE` for the first that was not. */
export const write = async (
  storage: LogStorage,
  asked: Asked,
  seed: number,
  round: number,
): Promise<void> => {
  await storage.open()
  const scripts = await Promise.all(
    PARTITION_IDS.map(
      async (id, index) => new Script(seed, round, index, await modelOf(await storage.partition(id))),
    ),
  )
  say('ready\n')
  let hasFailed = false

  const follow = async (index: number): Promise<void> => {
    const script = scripts[index]!
    const id = PARTITION_IDS[index]!
    const inFlight = new Set<Promise<void>>()
    let partition = await storage.partition(id)
    /** Stands for the partition until it is deleted. */
    let life = { isOver: false }
    let left = Infinity
    for (let step = 0; step < MAX_STEPS && left > 0; step++) {
      const wasFailed = hasFailed
      if (wasFailed) left = Math.min(left, STEPS_AFTER_FAILURE) - 1
      const next = script.next()
      const own = life
      const done = perform(storage, partition, next, asked).then(
        () => say(`${wasFailed ? 'late ' : ''}${index} ${step}\n`),
        (error: unknown) => {
          // Writes that a deletion overtook are refused, and gone with the rest.
          if (own.isOver && OttlaError.is(error, 'RESOURCE_CLOSED')) return
          if (!hasFailed) say(`failed ${String(error).replaceAll('\n', ' ')}\n`)
          hasFailed = true
        },
      )
      inFlight.add(done)
      void done.finally(() => inFlight.delete(done))
      if (next.kind === 'delete') {
        own.isOver = true
        life = { isOver: false }
        await Promise.all(inFlight)
        if (!hasFailed) partition = await storage.partition(id)
      }
      while (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight)
    }
    await Promise.all(inFlight)
  }

  await Promise.all(PARTITION_IDS.map((_, index) => follow(index)))
  say('done\n')
  setInterval(() => undefined, 60_000)
}
