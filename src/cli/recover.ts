/**
 * Opens every partition before clients come, as Kafka does: what a crash left is checked now, with somebody looking
 * on, and not in the first request that needs it.
 */
import type { Ottla } from 'ottla'
import type { Log } from './log.js'
import type { World } from './world.js'

/** How many partitions are opened at a time. */
const AT_A_TIME = 32

/** How often progress is told. */
const PROGRESS_MS = 1_000

/** Opens all partitions of all topics; ends early when `signal` aborts. */
export const recover = async (
  { admin }: Ottla,
  log: Log,
  { clock }: Pick<World, 'clock'>,
  signal: AbortSignal,
): Promise<void> => {
  const startedAt = clock.monotonic()
  const topics = await admin.describeTopics(await admin.listTopics({ signal }), { signal })
  const partitions = topics.flatMap(({ name, partitions: all }) =>
    all.map(({ partition }) => ({ topic: name, partition })),
  )
  const total = partitions.length
  let toldAt = startedAt
  for (let done = 0; done < total && !signal.aborted; done += AT_A_TIME) {
    if (clock.monotonic() - toldAt >= PROGRESS_MS) {
      toldAt = clock.monotonic()
      log.info('recovering', `recovering: ${done} of ${total} partitions`, { done, total })
    }
    const opened = partitions.slice(done, done + AT_A_TIME).map(async (partition) => {
      try {
        await admin.listOffsets([partition], 'latest', { signal })
      } catch (error) {
        if (signal.aborted) return
        // The others are whole: their clients are served.
        const name = `${partition.topic}-${partition.partition}`
        log.error('partitionUnreadable', `partition ${name} cannot be read: ${String(error)}`, partition)
      }
    })
    await Promise.all(opened)
  }
  const tookMs = Math.round(clock.monotonic() - startedAt)
  log.info('recovered', `all partitions opened (${total}) in ${tookMs} ms`, { partitions: total, tookMs })
}
