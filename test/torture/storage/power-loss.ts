/**
 * Part five: the power fails. A file system on a loop device is shut down as it stands while a writer is at work: what
 * has not reached the device is lost, as it would be. Writers ask for `'fsync'` always, or now and then.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SeededRandom } from '../../support/seeded-random.js'
import { Skipped } from '../../support/suite-command.js'
import { pause } from '../children.js'
import { rootMissing, scratchFolder, system, undoLater } from '../scratch.js'
import type { TorturedStorage } from '../storages.js'
import { judge } from './judge.js'
import { acknowledged, emptyModels, progressOf, type Rounds } from './kills.js'
import { copyOf, durabilityOf, Script, type Asked } from './script.js'
import type { NaivePartition } from '../../../src/storage/test-suite/naive-partition.js'

const DISK_BYTES = 192 * 1024 * 1024
/** After so many rounds the disk is left for a new one. */
const ROUNDS_A_DISK = 10
/** The ways to shut a file system down: with the last of its journal, without, or flushed. Mostly without. */
const SHUTDOWNS = ['2', '2', '2', '1', '0']
const HELPERS = ['python3', 'perl'] as const

/** Runs the rounds. @throws Error at the first that lost something; Skipped where there is no such disk. */
export const powerLossRounds = async (
  storage: TorturedStorage,
  { children, seed, first, count }: Rounds,
): Promise<string> => {
  const missing = rootMissing()
  if (missing !== undefined) throw new Skipped(missing)
  const random = new SeededRandom(seed + first)
  const total = { steps: 0, failed: 0, again: 0, batches: 0 }
  let disk: Disk | undefined
  let models: readonly NaivePartition[] = emptyModels()
  try {
    for (let round = first; round < first + count; round++) {
      if ((round - first) % ROUNDS_A_DISK === 0) {
        disk?.remove()
        disk = makeDisk()
        models = emptyModels()
      }
      if (disk === undefined) throw new Error('no disk')
      const folder = join(disk.mountPoint, 'log')
      const asked = round % 3 === 2 ? 'mixed' : 'fsync'
      const writer = children.start('write', storage.name, folder, asked, seed, round)
      await writer.said('\n0 ')
      await pause(random.below(250))
      // What is acknowledged while the file system goes down counts for nothing: a flush that is under way then may be
      // told that it is done when its journal was thrown away, which with the power gone nobody would have heard.
      const heard = writer.output()
      disk.shutDown(random.oneOf(SHUTDOWNS))
      await pause(random.below(30))
      writer.kill()
      const { output } = await writer.ended
      disk.remount()
      const steps = acknowledged(heard)
      const begun = acknowledged(output)
      total.steps += steps.reduce((sum, each) => sum + each.length, 0)
      if (output.includes('\nfailed ')) total.failed++
      if (random.below(4) === 0) {
        // The power fails again, as the first failure is being made up for.
        const opener = children.start('open', storage.name, folder)
        await pause(20 + random.below(80))
        disk.shutDown(random.oneOf(SHUTDOWNS))
        opener.kill()
        await opener.ended
        disk.remount()
        total.again++
      }
      const log = storage.create(folder)
      try {
        await log.open()
        const progress = steps.map((each, index) => ({
          promised: flushed(each, asked, models[index]!, { seed, round, index }),
          begun: progressOf(begun)[index]!.begun,
        }))
        const found = await judge(log, models, progress, { seed, round })
        models = found.models
        total.batches += found.batchCount
      } catch (error) {
        throw new Error(
          `round ${round}, seed ${seed}: ${error instanceof Error ? error.message : String(error)}`,
          {
            cause: error,
          },
        )
      } finally {
        await log.close()
      }
    }
  } finally {
    disk?.remove()
  }
  return `${count} power failures, ${total.failed} of them seen by the writer, ${total.again} more at the recovery; ${total.steps} steps acknowledged, ${total.batches} batches compared`
}

/** How much of what was acknowledged was flushed as well: all up to the last step that asked for it. */
const flushed = (
  steps: readonly number[],
  asked: Asked,
  model: NaivePartition,
  { seed, round, index }: { readonly seed: number; readonly round: number; readonly index: number },
): number => {
  const script = new Script(seed, round, index, copyOf(model))
  const last = Math.max(-1, ...steps)
  const wasAcknowledged = new Set(steps)
  let promised = 0
  for (let step = 0; step <= last; step++)
    if (durabilityOf(script.next(), asked) === 'fsync' && wasAcknowledged.has(step)) promised = step + 1
  return promised
}

/** A file system that can lose its power. */
interface Disk {
  readonly mountPoint: string
  readonly shutDown: (flag: string) => void
  /** Brings it back; every process that had it open must be gone. */
  readonly remount: () => void
  readonly remove: () => void
}

/** @throws Skipped when this machine has no loop devices, no ext4, or nothing to call an ioctl with. */
const makeDisk = (): Disk => {
  const helper = HELPERS.find((program) => spawnSync(program, ['--version']).status === 0)
  if (helper === undefined) throw new Skipped(`an ioctl needs one of ${HELPERS.join(', ')}`)
  const { folder, remove: removeFolder } = scratchFolder()
  const undone: (() => void)[] = [removeFolder]
  const remove = (): void => {
    for (const step of undone.splice(0).reverse()) step()
  }
  try {
    const image = join(folder, 'image')
    const mountPoint = join(folder, 'mnt')
    mkdirSync(mountPoint)
    writeFileSync(image, '')
    truncateSync(image, DISK_BYTES)
    system('mkfs.ext4', '-q', '-F', image)
    const device = system('losetup', '-f', '--show', image)
    undone.push(undoLater(() => void system('losetup', '-d', device)))
    system('mount', '-t', 'ext4', device, mountPoint)
    undone.push(undoLater(() => void system('umount', '-l', mountPoint)))
    const script = fileURLToPath(new URL(`shutdown.${helper === 'perl' ? 'pl' : 'py'}`, import.meta.url))
    return {
      mountPoint,
      shutDown: (flag) => void system(helper, script, mountPoint, flag),
      remount: () => {
        system('umount', mountPoint)
        system('mount', '-t', 'ext4', device, mountPoint)
      },
      remove,
    }
  } catch (error) {
    remove()
    throw new Skipped(`no ext4 on a loop device: ${error instanceof Error ? error.message : String(error)}`)
  }
}
