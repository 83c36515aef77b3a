/**
 * The suite `transactions`: a process that consumes, transforms and produces is killed at a moment that nobody chose, over
 * and over, on one folder. Each time every record before the committed offsets must be in the target once, and no other.
 */
import { Ottla, string } from 'ottla'
import { SeededRandom } from '../support/seeded-random.js'
import { Skipped, type Suite, type SuiteRun } from '../support/suite-command.js'
import { Children, pause } from './children.js'
import { scratchFolder } from './scratch.js'
import { subjects, type Subject, type TorturedStorage } from './storages.js'
import { SOURCE, TARGET, TRANSFORM_PARTITIONS, TRANSFORMER } from './transformer.js'

/** What is there is read in seconds, or not at all. */
const READ_LIMIT_MS = 60_000

/** What a crash left. */
interface Found {
  readonly done: number
  readonly aborted: number
  readonly offsets: readonly number[]
}

const judge = async (
  storage: TorturedStorage,
  folder: string,
  acknowledged: readonly number[],
): Promise<Found> => {
  const ottla = await Ottla.open({ storage: storage.create(folder) })
  try {
    const options = { partitions: TRANSFORM_PARTITIONS, value: string }
    const source = await ottla.createTopic(SOURCE, options)
    const target = await ottla.createTopic(TARGET, options)
    // Whoever takes over the id ends what was left open: from here on everything is settled.
    const producer = ottla.producer({ transactionalId: TRANSFORMER })
    await producer.begin()
    await producer.abort()
    await producer.close()

    const committed = await ottla.admin.listConsumerGroupOffsets(TRANSFORMER)
    const offsets = acknowledged.map(
      (_, partition) => committed.find((entry) => entry.partition === partition)?.offset ?? 0,
    )
    acknowledged.forEach((offset, partition) => {
      if (offsets[partition]! < offset)
        throw new Error(
          `a commit of offset ${offset} of partition ${partition} was acknowledged; found is ${offsets[partition]}`,
        )
    })
    const expected = new Set<string>()
    for (const { partition } of source.partitions()) {
      for await (const { offset, value } of source.partition(partition).read({ to: 'latest' })) {
        if (offset < offsets[partition]!) expected.add(value)
      }
    }
    const seen = new Set<string>()
    let written = 0
    for (const { partition } of target.partitions()) {
      const reader = target.partition(partition)
      for await (const _message of reader.read({ to: 'latest' })) written++
      const signal = AbortSignal.timeout(READ_LIMIT_MS)
      for await (const { value } of reader.read({ to: 'latest', isolationLevel: 'read_committed', signal })) {
        if (seen.has(value)) throw new Error(`${value} is there twice`)
        if (!expected.has(value)) throw new Error(`${value} is there, but its offset was not committed`)
        seen.add(value)
      }
    }
    for (const value of expected) if (!seen.has(value)) throw new Error(`${value} is missing`)
    return { done: seen.size, aborted: written - seen.size, offsets }
  } finally {
    await ottla.close()
  }
}

/** Kill -9, reopen, hold target against source; `rounds` times on one folder. */
const killRounds = async (
  children: Children,
  { storage, durability }: Subject,
  rounds: number,
  { seed, check }: Pick<SuiteRun, 'seed' | 'check'>,
): Promise<void> => {
  const random = new SeededRandom(seed)
  const { folder, remove } = scratchFolder()
  const acknowledged = Array.from({ length: TRANSFORM_PARTITIONS }, () => 0)
  let done = 0
  for (let round = 0; round < rounds; round++) {
    const delayMs = random.below(700)
    const name = `${storage.name}, ${durability}, round ${round + 1}: killed after ${delayMs} ms`
    const passed = await check(name, async () => {
      if (process.platform === 'win32') throw new Skipped('Windows has no SIGKILL')
      const child = children.start('transform', storage.name, folder, durability, seed + round * 1000, round)
      await child.said('ready\n')
      await pause(delayMs)
      child.kill()
      const { output, errors, signal, code } = await child.ended
      if (signal !== 'SIGKILL') throw new Error(`it ended by itself, with ${code ?? signal}: ${errors}`)
      let commits = 0
      for (const [, partition, offset] of output.matchAll(/^committed (\d+) (\d+)\n/gm)) {
        acknowledged[Number(partition)] = Number(offset)
        commits++
      }
      const found = await judge(storage, folder, acknowledged)
      done = found.done
      return `${commits} commits acknowledged, ${found.done} records once, ${found.aborted} aborted`
    })
    // What a broken log does after that says nothing new.
    if (!passed) break
  }
  await check(`${storage.name}, ${durability}: anything was committed at all`, () => {
    if (done === 0) throw new Error('no transaction got that far')
  })
  remove()
}

/** Every storage at every durability, in turn. */
export const transactions: Suite = {
  name: 'transactions',
  summary:
    'what is consumed, transformed and produced is there exactly once, however often its process is killed',
  defaultRounds: 60,
  async run({ rounds, options, ...run }) {
    const all = subjects(options)
    const children = await Children.build()
    for (const subject of all) await killRounds(children, subject, Math.ceil(rounds / all.length), run)
  },
}
