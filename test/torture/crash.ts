/**
 * The suite `crash`: a writer is killed at a moment that nobody chose, over and over, on one folder; each time the log
 * must open again with everything that was acknowledged.
 */
import { Ottla, string } from 'ottla'
import { SeededRandom } from '../support/seeded-random.js'
import { Skipped, type Suite, type SuiteRun } from '../support/suite-command.js'
import { Children, pause, type Death } from './children.js'
import { Ledger, PARTITIONS, promisesIn, TOPIC } from './ledger.js'
import { scratchFolder } from './scratch.js'
import { subjects, type Subject, type TorturedStorage } from './storages.js'

/** A partition is read in seconds, or not at all. */
const READ_LIMIT_MS = 60_000

/** When a writer dies: so long after it was started, or after it began to write. */
interface Moment {
  readonly from: 'start' | 'first write'
  readonly delayMs: number
}

const runWriter = async (
  children: Children,
  { storage, durability }: Subject,
  folder: string,
  { seed, round }: { readonly seed: number; readonly round: number },
  { from, delayMs }: Moment,
): Promise<Death> => {
  const writer = children.start('crash', storage.name, folder, durability, seed, round)
  if (from === 'first write') await writer.said('ready\n')
  await pause(delayMs)
  writer.kill()
  return writer.ended
}

/** Opens the folder as an application would after the crash, and holds everything in it against the ledger. */
const judge = async (storage: TorturedStorage, folder: string, ledger: Ledger): Promise<number> => {
  const ottla = await Ottla.open({ storage: storage.create(folder) })
  try {
    const topic = await ottla.createTopic(TOPIC, { partitions: PARTITIONS, key: string, value: string })
    let count = 0
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const judgement = ledger.judgePartition(partition)
      // A hole in the log leaves a reader waiting for what will not come.
      const signal = AbortSignal.timeout(READ_LIMIT_MS)
      const messages = topic.partition(partition).read({ from: 'earliest', to: 'latest', signal })
      try {
        for await (const { offset, value } of messages) judgement.see(offset, value)
      } catch (error) {
        if (!signal.aborted) throw error
        throw new Error(`partition ${partition} cannot be read beyond ${judgement.recordCount}`, {
          cause: error,
        })
      }
      judgement.end()
      count += judgement.recordCount
    }
    for (const { group, positions } of ledger.commits()) {
      const committed = await ottla.admin.listConsumerGroupOffsets(group)
      positions.forEach((position, partition) => {
        const found = committed.find((entry) => entry.topic === TOPIC && entry.partition === partition)
        if (position > 0 && (found?.offset ?? 0) < position) {
          throw new Error(
            `${group} had committed ${position} of partition ${partition}; found is ${found?.offset}`,
          )
        }
      })
    }
    return count
  } finally {
    await ottla.close()
  }
}

/** Kill -9, reopen, compare; `rounds` times on one folder. */
const crashRounds = async (
  children: Children,
  subject: Subject,
  rounds: number,
  { seed, check }: Pick<SuiteRun, 'seed' | 'check'>,
): Promise<void> => {
  const random = new SeededRandom(seed)
  const { folder, remove } = scratchFolder()
  const ledger = new Ledger()
  const name = `${subject.storage.name}, ${subject.durability}`
  for (let round = 0; round < rounds; round++) {
    const from = random.below(5) === 0 ? 'start' : 'first write'
    const moment: Moment = { from, delayMs: random.below(from === 'start' ? 400 : 600) }
    const passed = await check(
      `${name}, round ${round + 1}: killed ${moment.delayMs} ms after the ${from}`,
      async () => {
        if (process.platform === 'win32') throw new Skipped('Windows has no SIGKILL')
        const before = ledger.recordCount
        const turn = { seed: seed + round * 1000, round }
        const { output, errors, signal, code } = await runWriter(children, subject, folder, turn, moment)
        const promises = promisesIn(output)
        ledger.add(round, promises)
        if (signal !== 'SIGKILL')
          throw new Error(`the writer ended by itself, with ${code ?? signal}: ${errors}`)
        const stored = await judge(subject.storage, folder, ledger)
        const commits = promises.filter(({ kind }) => kind === 'commit').length
        return `${ledger.recordCount - before} records and ${commits} commits acknowledged, ${stored} records in the log`
      },
    )
    // What a broken log does after that says nothing new.
    if (!passed) break
  }
  if (ledger.recordCount === 0) {
    await check(`${name}: anything was acknowledged at all`, () => {
      throw process.platform === 'win32' ? new Skipped('nothing ran') : new Error('no writer got that far')
    })
  }
  remove()
}

/** Every storage at every durability, in turn. */
export const crash: Suite = {
  name: 'crash',
  summary: 'a writer killed with SIGKILL loses nothing that was acknowledged',
  defaultRounds: 60,
  async run({ rounds, options, ...run }) {
    const all = subjects(options)
    const children = await Children.build()
    for (const subject of all) await crashRounds(children, subject, Math.ceil(rounds / all.length), run)
  },
}
