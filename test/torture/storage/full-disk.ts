/** Part two: a disk that fills up, at every kind of write, at the opening and at the close. */
import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import type { Durability, LogStorage, PartitionStorage } from '../../../src/storage/contract.js'
import { SeededRandom } from '../../support/seeded-random.js'
import { Skipped } from '../../support/suite-command.js'
import { rootMissing, scratchFolder, system, undoLater } from '../scratch.js'
import type { Subject } from '../storages.js'
import { judge } from './judge.js'
import { emptyModels } from './kills.js'
import { PARTITION_IDS, perform, Script, type StepKind } from './script.js'

const DISK_BYTES = 64 * 1024 * 1024
/** What is tried, again and again, as the disk fills up. */
const KINDS = ['append', 'roll', 'suffix', 'prefix', 'replace', 'blobs', 'delete'] as const
const PHASES = [...KINDS, 'any', 'close', 'open'] as const
/** Calls before the disk gets tight, at most. */
const MAX_CALLS_BEFORE = 100
/** A write that changes little may fit into what is left for long. */
const MAX_CALLS_WITHIN = 4000

/** One round of a phase. */
type Phase = (typeof PHASES)[number]

/** Runs `count` rounds, the phases in turn. @throws Error at the first that lost something. */
export const fullDiskRounds = async (subject: Subject, seed: number, count: number): Promise<string> => {
  const missing = rootMissing()
  if (missing !== undefined) throw new Skipped(missing)
  const total = { full: 0, refused: 0, steps: 0 }
  for (let round = 0; round < count; round++) {
    const phase = PHASES[round % PHASES.length]!
    const { folder, remove } = scratchFolder()
    let unmount: (() => void) | undefined
    try {
      try {
        system('mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'ottla-torture', folder)
      } catch (error) {
        throw new Skipped(`no tmpfs can be mounted: ${String(error)}`)
      }
      unmount = undoLater(() => void system('umount', '-l', folder))
      const { steps, refused } = await fullDiskRound(subject, folder, phase, { seed, round })
      total.steps += steps
      total.refused += refused
      if (refused > 0) total.full++
    } catch (error) {
      if (error instanceof Skipped) throw error
      throw new Error(
        `round ${round}, ${phase}, seed ${seed}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      )
    } finally {
      unmount?.()
      remove()
    }
  }
  return `${count} disks, ${total.full} of them ran full; ${total.steps} steps acknowledged and found again, ${total.refused} refused`
}

const fullDiskRound = async (
  { storage, durability }: Subject,
  disk: string,
  phase: Phase,
  { seed, round }: { readonly seed: number; readonly round: number },
): Promise<{ readonly steps: number; readonly refused: number }> => {
  const random = new SeededRandom(seed + round)
  const ballast = join(disk, 'ballast')
  const folder = join(disk, 'log')
  const log = storage.create(folder)
  await log.open()
  const run = new Run(log, await Promise.all(PARTITION_IDS.map((id) => log.partition(id))), seed, round)
  let isOpen = true
  try {
    for (let left = random.below(MAX_CALLS_BEFORE); left > 0; left--) {
      const failure = await run.steps(random, () => random.oneOf(KINDS), durability)
      if (failure !== undefined) throw new Error(`failed before the disk was full: ${String(failure)}`)
    }
    // Every other time not a byte is left.
    await fill(disk, ballast, random.below(2) === 0 ? 0 : random.below(160 * 1024))
    let refused = 0
    if (phase !== 'close' && phase !== 'open') {
      const isMixed = random.below(2) === 0
      let failure: Error | undefined
      // What makes room, and what needs something to be there, takes its turn with appends.
      const kind = (): StepKind =>
        phase === 'any' ? random.oneOf(KINDS) : isMixed && random.below(3) > 0 ? 'append' : phase
      for (let left = MAX_CALLS_WITHIN; left > 0 && failure === undefined; left--)
        failure = await run.steps(random, kind, durability)
      if (failure !== undefined) {
        assertTyped(failure)
        if (log.failure === undefined) throw new Error(`says not that it failed, after ${String(failure)}`)
        for (const kind of KINDS) await run.refused(random.below(PARTITION_IDS.length), kind, durability)
        refused += 1 + KINDS.length
      }
    }
    if (phase === 'open') {
      await rm(ballast)
      await log.close()
      isOpen = false
      await fill(disk, ballast, random.below(8 * 1024))
      refused += await openFull(log)
    } else {
      isOpen = false
      // Close where it cannot write: it may say so, it must let go of everything.
      await log.close().catch((error: unknown) => {
        assertTyped(error)
        refused++
      })
      if (random.below(2) === 0) refused += await openFull(log)
    }
    await rm(ballast)
    await log.open()
    isOpen = true
    await judge(log, emptyModels(), run.progress, { seed, round })
    // And goes on as if nothing had been.
    const again = await log.partition(PARTITION_IDS[0]!)
    await again.writeBlobs({ x: new Uint8Array(1) }, durability)
    return { steps: run.progress.reduce((sum, { promised }) => sum + promised, 0), refused }
  } finally {
    if (isOpen) await log.close()
  }
}

/** Opens and closes it while there is no room; how often it refused. */
const openFull = async (log: LogStorage): Promise<number> => {
  try {
    await log.open()
  } catch (error) {
    assertTyped(error)
    if (OttlaError.is(error, 'STORAGE_CORRUPT')) throw new Error(`a full disk is no damage: ${error.message}`)
    return 1
  }
  await log.close().catch(assertTyped)
  return 0
}

const assertTyped = (error: unknown): void => {
  if (!OttlaError.is(error)) throw new Error(`a full disk is told by no typed error: ${String(error)}`)
}

/** Leaves `leave` bytes of the disk. */
const fill = async (disk: string, ballast: string, leave: number): Promise<void> => {
  const file = await open(ballast, 'w')
  try {
    const { bavail, bsize } = await statfs(disk)
    const zeros = new Uint8Array(1024 * 1024)
    for (let left = bavail * bsize - leave; left > 0;) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(left, zeros.length))
      left -= bytesWritten
    }
  } finally {
    await file.close()
  }
}

/** Steps taken a few at a time, and counted. */
class Run {
  /** How far each partition is. */
  readonly progress: { promised: number; begun: number; readonly kinds: StepKind[] }[]
  readonly #log: LogStorage
  readonly #partitions: PartitionStorage[]
  readonly #scripts: Script[]

  constructor(log: LogStorage, partitions: PartitionStorage[], seed: number, round: number) {
    this.#log = log
    this.#partitions = partitions
    this.#scripts = emptyModels().map((model, index) => new Script(seed, round, index, model))
    this.progress = PARTITION_IDS.map(() => ({ promised: 0, begun: 0, kinds: [] }))
  }

  /** Takes a few steps of a few partitions, without waiting in between; answers the first failure. */
  async steps(
    random: SeededRandom,
    kind: () => StepKind,
    durability: Durability,
  ): Promise<Error | undefined> {
    const first = random.below(PARTITION_IDS.length)
    const howMany = random.below(3) === 0 ? 1 + random.below(PARTITION_IDS.length) : 1
    const failures = await Promise.all(
      Array.from({ length: howMany }, (_, at) =>
        this.#stepsOf((first + at) % PARTITION_IDS.length, kind, 1 + random.below(3), durability),
      ),
    )
    return failures.find((failure) => failure !== undefined)
  }

  async #stepsOf(
    index: number,
    kind: () => StepKind,
    count: number,
    durability: Durability,
  ): Promise<Error | undefined> {
    const progress = this.progress[index]!
    let isDeleted = false
    let failure: Error | undefined
    const taken: Promise<void>[] = []
    for (let left = count; left > 0 && !isDeleted; left--) {
      const asked = kind()
      const step = this.#scripts[index]!.next(asked)
      progress.kinds.push(asked)
      const number = ++progress.begun
      isDeleted = step.kind === 'delete'
      const done = perform(this.#log, this.#partitions[index]!, step, durability).then(
        () => void (progress.promised = Math.max(progress.promised, number)),
        (error: unknown) => {
          // Writes that a deletion overtook are refused, and gone with the rest.
          if (!isDeleted || !OttlaError.is(error, 'RESOURCE_CLOSED'))
            failure ??= error instanceof Error ? error : new Error(String(error))
        },
      )
      taken.push(done)
    }
    await Promise.all(taken)
    if (isDeleted && failure === undefined)
      this.#partitions[index] = await this.#log.partition(PARTITION_IDS[index]!)
    return failure
  }

  /** Tries one step that must be refused, and is not in the script for that. @throws Error when it was not. */
  async refused(index: number, kind: StepKind, durability: Durability): Promise<void> {
    const step = this.#scripts[index]!.next(kind)
    try {
      await perform(this.#log, this.#partitions[index]!, step, durability)
    } catch (error) {
      assertTyped(error)
      return
    }
    throw new Error(`a step (${kind}) was acknowledged after the storage had failed`)
  }
}
