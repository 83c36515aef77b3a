/** Compaction: one deadline for the whole broker, and one log after another, the dirtiest first. */
import { Pace } from '../log/compaction/pace.js'
import type { CompactionResult } from '../log/compaction/compactable-log.js'
import type { PartitionLog } from '../log/partition-log.js'
import type { Clock, ScheduledTimer } from '../runtime/clock.js'
import type { Random } from '../runtime/random.js'
import type { Timers } from '../runtime/timers.js'
import type { BrokerConfigs } from './configs/broker-configs.js'

/** The most memory that a map of offsets is given, whatever `log.cleaner.dedupe.buffer.size` says; as in Kafka. */
const MAX_MAP_BYTES = 0x7fff_ffff

/** What compaction works with. */
export interface CompactionServices {
  /** The logs that are open. Others are opened by retention, which looks at all. */
  readonly logs: () => Iterable<PartitionLog>
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly configs: BrokerConfigs
  readonly signal: AbortSignal
  /** A pass over a log has ended. */
  readonly onCompacted: (log: PartitionLog, result: CompactionResult) => void
  /** A pass over a log has failed, and will be tried again; told once until one succeeds. */
  readonly onFailed: (log: PartitionLog, error: unknown) => void
}

/** Looks for what is to be compacted, `log.cleaner.backoff.ms` after the last look has ended. */
export class Compaction {
  readonly #services: CompactionServices
  readonly #failed = new WeakSet<PartitionLog>()
  #timer: ScheduledTimer | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(services: CompactionServices) {
    this.#services = services
  }

  /** Begins, unless `log.cleaner.enable` is false; the deadline alone does not keep the process running. */
  start(): void {
    const { timers, configs, signal } = this.#services
    if (signal.aborted || !configs['log.cleaner.enable']) return
    this.#timer = timers.schedule(
      Math.max(1, configs['log.cleaner.backoff.ms']),
      () => {
        this.#running = this.#sweep()
      },
      { keepAlive: false },
    )
  }

  /** Ends, and waits for what is under way; a pass is left where it is, which costs nothing but its work. */
  async stop(): Promise<void> {
    this.#timer?.cancel()
    await this.#running
  }

  async #sweep(): Promise<void> {
    const { clock, signal } = this.#services
    const due: { readonly log: PartitionLog; readonly ratio: number }[] = []
    for (const log of [...this.#services.logs()]) {
      await this.#attempt(log, async () => {
        const section = await log.dirtySection(clock.now(), signal)
        if (section?.isDue === true) due.push({ log, ratio: section.ratio })
      })
    }
    due.sort((a, b) => b.ratio - a.ratio)
    for (const { log } of due) await this.#attempt(log, () => this.#compact(log))
    this.start()
  }

  /** Compacts the log in as many passes as its keys need, while it is worth it. */
  async #compact(log: PartitionLog): Promise<void> {
    const { clock, timers, random, configs, signal, onCompacted } = this.#services
    const maxBytesPerSecond = configs['log.cleaner.io.max.bytes.per.second']
    const options = {
      random,
      maxBytes: Math.min(configs['log.cleaner.dedupe.buffer.size'], MAX_MAP_BYTES),
      bufferBytes: configs['log.cleaner.io.buffer.size'],
      loadFactor: configs['log.cleaner.io.buffer.load.factor'],
      pace: new Pace(clock, { timers, maxBytesPerSecond, signal }),
    }
    for (;;) {
      const section = await log.dirtySection(clock.now(), signal)
      if (section?.isDue !== true) return
      onCompacted(log, await log.compact(section, clock.now(), options))
    }
  }

  /** One log that fails keeps no other from being compacted; one that is deleted or closed meanwhile is no failure. */
  async #attempt(log: PartitionLog, work: () => Promise<void>): Promise<void> {
    const { signal, onFailed } = this.#services
    const isOver = (): boolean => signal.aborted || log.isClosed
    if (isOver() || log.failure !== undefined) return
    try {
      await work()
      this.#failed.delete(log)
    } catch (error) {
      if (isOver() || this.#failed.has(log)) return
      this.#failed.add(log)
      onFailed(log, error)
    }
  }
}
