/**
 * Which committed offsets are too old to keep, and the turn that removes them with the groups that nothing is left
 * of: one deadline for all groups. Source: KIP-211, and Kafka's OffsetExpirationCondition.
 */
import type { Clock, ScheduledTimer } from '../../runtime/clock.js'
import type { Timers } from '../../runtime/timers.js'
import { TurnGuard } from '../../runtime/turn-guard.js'
import type { CommittedOffset } from './committed-offsets.js'
import type { Group } from './group.js'
import type { OffsetsPartition } from './offsets-partition.js'
import type { OffsetsPartitions } from './offsets-partitions.js'

/** What expiry works with. */
export interface OffsetExpiryServices {
  readonly clock: Clock
  readonly timers: Timers
  readonly partitions: OffsetsPartitions
  /** How long offsets are kept that nobody needs, in milliseconds. */
  readonly retentionMs: number
  /** How often they are looked for, in milliseconds. */
  readonly intervalMs: number
}

/** Looks for expired offsets at an interval. */
export class OffsetExpiry {
  readonly #services: OffsetExpiryServices
  readonly #stopping = new AbortController()
  #timer: ScheduledTimer | undefined

  constructor(services: OffsetExpiryServices) {
    this.#services = services
  }

  /** Begins; the deadline alone does not keep the process running. */
  start(): void {
    const { timers, intervalMs } = this.#services
    if (this.#stopping.signal.aborted) return
    this.#timer = timers.schedule(
      intervalMs,
      () => {
        // What could not be read or written is found again at the next turn.
        const next = (): void => this.start()
        this.#sweep().then(next, next)
      },
      { keepAlive: false },
    )
  }

  /** Ends it, at the next group if a turn is under way. */
  stop(): void {
    this.#stopping.abort()
    this.#timer?.cancel()
  }

  async #sweep(): Promise<void> {
    const { partitions, clock } = this.#services
    const { signal } = this.#stopping
    const guard = new TurnGuard(clock)
    for (const partition of await partitions.all()) {
      for (const group of [...partition.groups.values()]) {
        const turn = guard.next()
        if (turn !== undefined) await turn
        if (signal.aborted) return
        await this.#expire(partition, group)
      }
    }
  }

  async #expire(partition: OffsetsPartition, group: Group): Promise<void> {
    const { clock, retentionMs } = this.#services
    // While other groups were looked at it may have been deleted.
    if (partition.groups.get(group.groupId) !== group) return
    const isExpired = expiryOf(group, clock.now(), retentionMs)
    const expired: { name: string; partitions: number[] }[] = []
    let count = 0
    for (const name of group.offsets.topics()) {
      if (group.subscribesTo(name)) continue
      const partitions = group.offsets.partitions(name).filter((index) => {
        const committed = group.offsets.get(name, index)
        if (committed === undefined || !isExpired(committed)) return false
        return !partition.isCommitting(group, name, index) && !group.pendingOffsets.has(name, index)
      })
      count += partitions.length
      if (partitions.length > 0) expired.push({ name, partitions })
    }
    const isOver = group.isEmpty && group.pendingOffsets.size === 0 && !partition.isCommitting(group)
    if (isOver && count === group.offsets.size) await partition.delete(group)
    else if (count > 0) await partition.deleteOffsets(group, expired)
  }
}

/** Tells which offsets of a group as it is now have expired, those of topics left aside that it subscribes to. */
const expiryOf = (
  group: Group,
  now: number,
  retentionMs: number,
): ((committed: CommittedOffset) => boolean) => {
  const base = group.expiryBase()
  return (committed) => {
    const { expireTimestamp } = committed
    if (base === undefined) return false
    return expireTimestamp === undefined ? now - base(committed) >= retentionMs : now >= expireTimestamp
  }
}
