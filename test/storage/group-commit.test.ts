/** Many writes share one; their order stays; after a failure nothing goes through. */
import { describe, expect, it } from 'vitest'
import { deferred } from '../../src/runtime/abort.js'
import type { Durability } from '../../src/storage/contract.js'
import { GroupCommit } from '../../src/storage/group-commit.js'

/** A store whose writes end when they are told to. */
const slowStore = () => {
  const groups: { writes: readonly number[]; durability: Durability; end: (error?: Error) => void }[] = []
  const commits = new GroupCommit<number>((writes, durability) => {
    const { promise, resolve, reject } = deferred<undefined>()
    groups.push({
      writes,
      durability,
      end: (error) => (error === undefined ? resolve(undefined) : reject(error)),
    })
    return promise
  })
  return { groups, commits }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

describe('group commit', () => {
  it('gathers what comes while a write is under way into the next one', async () => {
    const { groups, commits } = slowStore()
    const done: number[] = []
    const submit = (write: number): void => void commits.submit(write, 10, 'os').then(() => done.push(write))
    submit(1)
    await turns()
    for (let write = 2; write <= 50; write++) submit(write)
    await turns()
    expect(groups.map((group) => group.writes)).toEqual([[1]])
    groups[0]!.end()
    await turns()
    expect(groups[1]!.writes).toEqual(Array.from({ length: 49 }, (_, index) => index + 2))
    expect(done).toEqual([1])
    groups[1]!.end()
    await commits.idle()
    expect(done).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    expect(groups).toHaveLength(2)
  })

  it('flushes when one of the group asks for it', async () => {
    const { groups, commits } = slowStore()
    const writes = [commits.submit(1, 1, 'os'), commits.submit(2, 1, 'fsync'), commits.submit(3, 1, 'os')]
    await turns()
    expect(groups).toMatchObject([{ writes: [1, 2, 3], durability: 'fsync' }])
    groups[0]!.end()
    await Promise.all(writes)
    void commits.submit(4, 1, 'os')
    await turns()
    expect(groups[1]).toMatchObject({ writes: [4], durability: 'os' })
    groups[1]!.end()
  })

  it('keeps one write within bounds, and the order with it', async () => {
    const { groups, commits } = slowStore()
    const sizes = [5e6, 5e6, 1e6, 1e6, 50e6, 1]
    const done: number[] = []
    sizes.forEach((size, index) => void commits.submit(index, size, 'os').then(() => done.push(index)))
    for (let group = 0; group < 4; group++) {
      await turns()
      groups[group]!.end()
    }
    await commits.idle()
    expect(groups.map((group) => group.writes)).toEqual([[0], [1, 2, 3], [4], [5]])
    expect(done).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('starts again at whatever moment the next write comes', async () => {
    const commits = new GroupCommit<number>(() => Promise.resolve())
    for (let delay = 0; delay < 20; delay++) {
      const first = commits.submit(1, 1, 'os')
      for (let turn = 0; turn < delay; turn++) await Promise.resolve()
      await commits.submit(2, 1, 'os')
      await first
    }
  })

  it('refuses everything after a failure, also what waited', async () => {
    const { groups, commits } = slowStore()
    const first = commits.submit(1, 1, 'os')
    await turns()
    const waiting = commits.submit(2, 1, 'fsync')
    const cause = new Error('ENOSPC')
    groups[0]!.end(cause)
    await expect(first).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause })
    await expect(waiting).rejects.toBe(commits.failure)
    await expect(commits.submit(3, 1, 'os')).rejects.toBe(commits.failure)
    expect(groups).toHaveLength(1)
  })
})
