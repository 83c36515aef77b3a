/** Part four: processes, threads and opens in one process that fight for a folder, and are killed as they do. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HEADER_BYTES } from '../../../src/record/header.js'
import { readAll } from '../../../src/storage/test-suite/samples.js'
import { SeededRandom } from '../../support/seeded-random.js'
import { pause, type Child } from '../children.js'
import { scratchFolder } from '../scratch.js'
import type { TorturedStorage } from '../storages.js'
import { HELD_PARTITION } from './holder.js'
import type { Rounds } from './kills.js'

const PROCESSES = 3

/** Kills a rival `count` times. @throws Error when two held the folder at once, or none could any more. */
export const rivalRounds = async (
  storage: TorturedStorage,
  { children, seed, count }: Rounds,
): Promise<string> => {
  const random = new SeededRandom(seed)
  const { folder: scratch, remove } = scratchFolder()
  const folder = join(scratch, 'log')
  const ledger = join(scratch, 'ledger')
  writeFileSync(ledger, '')
  const start = (): Child => children.start('hold', storage.name, folder, ledger, seed)
  const end = async (rival: Child): Promise<void> => {
    // Said before it is done: from here on another may hold the folder.
    appendFileSync(ledger, `kill ${rival.pid}\n`)
    rival.kill()
    const { output, errors, signal } = await rival.ended
    if (output.includes('failed ')) throw new Error(`a rival failed: ${output}`)
    if (signal !== 'SIGKILL') throw new Error(`a rival ended by itself: ${errors}`)
  }
  const rivals = Array.from({ length: PROCESSES }, start)
  try {
    // Until all of them are at it.
    for (let left = 200; left > 0 && !isBusy(ledger, rivals); left--) await pause(50)
    for (let round = 0; round < count; round++) {
      await pause(50 + random.below(250))
      // Mostly the one that holds it.
      const holder = random.below(3) === 0 ? -1 : rivals.findIndex(({ pid }) => pid === lastHolder(ledger))
      const [victim] = rivals.splice(holder < 0 ? random.below(rivals.length) : holder, 1, start())
      await end(victim!)
    }
    // Those that came last get their turn too.
    await pause(500)
    for (const rival of rivals.splice(0)) await end(rival)

    const { written, holds, takeovers } = readLedger(readFileSync(ledger, 'utf8'))
    const log = storage.create(folder)
    await log.open()
    try {
      const found = new Map<number, string>()
      for (const { baseOffset, bytes } of await readAll(await log.partition(HELD_PARTITION)))
        found.set(baseOffset, Buffer.from(bytes.subarray(HEADER_BYTES)).toString())
      for (const [offset, content] of written) {
        if (found.get(offset) !== content)
          throw new Error(`at ${offset} is ${found.get(offset)}; ${content} was acknowledged there`)
      }
    } finally {
      await log.close()
    }
    return `${count + PROCESSES} kills, ${holds} holds by one at a time, ${takeovers} taken over from the dead, ${written.size} writes found again`
  } finally {
    for (const rival of rivals) rival.kill()
    await Promise.allSettled(rivals.map(({ ended }) => ended))
    remove()
  }
}

const isBusy = (ledger: string, rivals: readonly Child[]): boolean => {
  const text = readFileSync(ledger, 'utf8')
  return rivals.every(({ pid }) => text.includes(`hold ${pid}/`))
}

/** Who holds the folder, or did when this was read. */
const lastHolder = (ledger: string): number => {
  const text = readFileSync(ledger, 'utf8')
  return Number.parseInt(text.slice(text.lastIndexOf('hold ') + 5))
}

/** @throws Error when one took the folder while another one that was not killed had it. */
const readLedger = (
  text: string,
): {
  readonly written: ReadonlyMap<number, string>
  readonly holds: number
  readonly takeovers: number
} => {
  const killed = new Set<string>()
  const written = new Map<number, string>()
  let holder: string | undefined
  let holds = 0
  let takeovers = 0
  for (const line of text.split('\n')) {
    const [kind, id = '', turn = '', offset = ''] = line.split(' ')
    if (kind === 'kill') killed.add(id)
    else if (kind === 'hold') {
      if (holder !== undefined) {
        if (!killed.has(holder.split('/')[0]!))
          throw new Error(`${id} got the folder while ${holder} held it`)
        takeovers++
      }
      holder = id
      holds++
    } else if (kind === 'free') {
      // One that was to be killed may have said so still, and another have been faster.
      if (holder === id) holder = undefined
    } else if (kind === 'wrote') {
      const content = `${id} ${turn}`
      const before = written.get(Number(offset))
      if (before !== undefined) throw new Error(`${offset} was promised to ${before} and to ${content}`)
      written.set(Number(offset), content)
    }
  }
  return { written, holds, takeovers }
}
