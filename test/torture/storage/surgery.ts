/**
 * Part three: damage. What a clean stop and a kill left behind is copied, and the files that hold what was written last
 * are cut, flipped and zeroed; then the log is opened as an application would. It may say what is broken, with a typed
 * error, or hold less; it must not skip anything in silence, and not serve what nobody wrote.
 */
import { cp, open, readdir, stat } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Ottla, string } from 'ottla'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { SeededRandom } from '../../support/seeded-random.js'
import { scratchFolder } from '../scratch.js'
import type { Children } from '../children.js'
import { Skipped } from '../../support/suite-command.js'
import { Ledger, PARTITIONS, promisesIn, TOPIC } from '../ledger.js'
import type { TorturedStorage } from '../storages.js'

/** How the log was left before the operation. */
export const STOPS = ['close', 'kill'] as const
/** What is done to it. */
export const OPERATIONS = ['cut', 'flip', 'zero'] as const

/** How a writer stopped. */
export type Stop = (typeof STOPS)[number]
/** A kind of damage. */
export type Operation = (typeof OPERATIONS)[number]

const SENDS = 60
/** The part of a file that is looked at most closely: what the last write put there lies within. */
const LAST_UNIT_BYTES = 400
const TAIL_BYTES = 6 * 1024
/** How many failures are told one by one. */
const MAX_SHOWN = 5
/** A partition is read in milliseconds, or not at all. */
const READ_LIMIT_MS = 10_000
/** The errors that say that something is damaged. */
const DAMAGE_CODES = new Set([
  'STORAGE_CORRUPT',
  'KAFKA_STORAGE_ERROR',
  'CORRUPT_MESSAGE',
  'UNSUPPORTED_VERSION',
])

/** A log that was written and is over. */
export interface Patient {
  readonly folder: string
  readonly files: readonly { readonly path: string; readonly size: number }[]
  readonly ledger: Ledger
  readonly remove: () => void
}

/** Has a log written, and stopped. */
export const preparePatient = async (
  storage: TorturedStorage,
  stop: Stop,
  children: Children,
): Promise<Patient> => {
  const { folder: scratch, remove } = scratchFolder()
  const folder = join(scratch, 'log')
  const writer = children.start('log', storage.name, folder, SENDS, stop)
  await writer.said('done\n')
  if (stop === 'kill') writer.kill()
  const { output, errors } = await writer.ended
  if (!output.endsWith('done\n')) throw new Error(`the log was not written: ${errors}`)
  const ledger = new Ledger()
  ledger.add(0, promisesIn(output))
  const names = (await readdir(folder, { recursive: true })).filter((name) => storage.isSurgical(name))
  const files: { path: string; size: number }[] = []
  for (const path of names) {
    const { size } = await stat(join(folder, path))
    if (size > 0) files.push({ path, size })
  }
  if (files.length === 0) {
    remove()
    throw new Skipped(`a ${stop} leaves none of the files that can be operated on`)
  }
  return { folder, files, ledger, remove }
}

/** Operates `count` times, each time on another copy. @throws Error when any got away with it. */
export const operate = async (
  storage: TorturedStorage,
  stop: Stop,
  operation: Operation,
  { children, seed, count }: { readonly children: Children; readonly seed: number; readonly count: number },
): Promise<string> => {
  const random = new SeededRandom(seed)
  const patient = await preparePatient(storage, stop, children)
  const { folder: scratch, remove } = scratchFolder()
  const outcomes = new Map<string, number>()
  const failures: string[] = []
  const mayBeShort = !(storage.knowsItsEnd && stop === 'close')
  try {
    for (let at = 0; at < count; at++) {
      const { path, size } = patient.files[at % patient.files.length]!
      const perFile = { at: Math.floor(at / patient.files.length), count: count / patient.files.length }
      const damage = chooseDamage(operation, size, perFile, random)
      const copy = join(scratch, String(at))
      await cp(patient.folder, copy, { recursive: true })
      await inflict(join(copy, path), damage)
      const name = `${path} of ${size} bytes, ${damage.text}`
      try {
        const outcome = await examine(storage, copy, patient.ledger)
        if (outcome === 'shorter' && !mayBeShort) throw new Error('it ends early and says nothing')
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      } catch (error) {
        failures.push(`case ${at}, ${name}: ${error instanceof Error ? error.message : String(error)}`)
      }
      rmSync(copy, { recursive: true })
    }
  } finally {
    remove()
    patient.remove()
  }
  if (failures.length > 0) {
    throw new Error(
      `${failures.length} of ${count} cases, seed ${seed}:\n${failures.slice(0, MAX_SHOWN).join('\n')}`,
    )
  }
  const figures = [...outcomes].sort().map(([outcome, times]) => `${times} ${outcome}`)
  return `${count} cases in ${patient.files.length} files: ${figures.join(', ')}`
}

interface Damage {
  readonly from: number
  readonly length: number
  /** What is written there; undefined to cut the file off. */
  readonly change: ((byte: number) => number) | undefined
  readonly text: string
}

/** Every other time the next byte of the last unit, from the end; else a place anywhere in the tail, or before it. */
const chooseDamage = (
  operation: Operation,
  size: number,
  { at, count }: { readonly at: number; readonly count: number },
  random: SeededRandom,
): Damage => {
  const unit = Math.min(LAST_UNIT_BYTES, size)
  const reach = random.below(3) === 0 ? size : Math.min(size, TAIL_BYTES)
  const inUnit = Math.floor((at >> 1) * Math.max(1, unit / (count / 2))) % unit
  const back = 1 + (at % 2 === 0 ? inUnit : random.below(reach))
  const from = size - back
  if (operation === 'cut') return { from, length: back, change: undefined, text: `cut at ${from}` }
  if (operation === 'flip') {
    const bit = 1 << random.below(8)
    return { from, length: 1, change: (byte) => byte ^ bit, text: `bit ${bit} of byte ${from} flipped` }
  }
  const length = Math.min(back, random.below(3) === 0 ? back : 1 + random.below(600))
  return { from, length, change: () => 0, text: `${length} bytes from ${from} on zeroed` }
}

const inflict = async (path: string, { from, length, change }: Damage): Promise<void> => {
  const file = await open(path, 'r+')
  try {
    if (change === undefined) {
      await file.truncate(from)
      return
    }
    const bytes = new Uint8Array(length)
    await file.read(bytes, 0, length, from)
    await file.write(bytes.map(change), 0, length, from)
  } finally {
    await file.close()
  }
}

/** Opens the log and reads it: whether it is whole, shorter, or says what is wrong. */
const examine = async (storage: TorturedStorage, folder: string, ledger: Ledger): Promise<string> => {
  const log = storage.create(folder)
  let ottla: Ottla | undefined
  try {
    ottla = await Ottla.open({ storage: log })
    const topic = await ottla.createTopic(TOPIC, { partitions: PARTITIONS, key: string, value: string })
    const partitions = Array.from({ length: PARTITIONS }, (_, index) => topic.partition(index))
    // Another partition may be sound: each is read.
    const read = await Promise.all(
      partitions.map(async (partition, index) => {
        const judgement = ledger.judgePartition(index)
        const signal = AbortSignal.timeout(READ_LIMIT_MS)
        try {
          const messages = partition.read({ from: 'earliest', to: 'latest', signal })
          for await (const { offset, value } of messages) judgement.see(offset, value)
        } catch (error) {
          if (signal.aborted) throw new Error(`partition ${index} cannot be read, and says nothing`)
          return { count: 0, damage: damageCode(error) }
        }
        return { count: judgement.recordCount, damage: undefined }
      }),
    )
    const damage = read.find((each) => each.damage !== undefined)?.damage
    if (damage !== undefined) return damage
    const found = read.reduce((sum, { count }) => sum + count, 0)
    return found === ledger.recordCount ? 'whole' : 'shorter'
  } catch (error) {
    return `${damageCode(error)} at the opening`
  } finally {
    if (ottla === undefined) await log.close()
    else await ottla.close().catch(damageCode)
  }
}

/** The code of an error that names damage. @throws the error, when it does not. */
const damageCode = (error: unknown): string => {
  if (OttlaError.is(error) && DAMAGE_CODES.has(error.code)) return error.code
  throw error
}
