/** One owner per folder: in this process, between processes, and after an owner was killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Files, ProcessIdentity } from '../../src/runtime/files.js'
import { nodeFiles } from '../../src/runtime/node/node-files.js'
import { nodeProcess } from '../../src/runtime/node/node-process.js'
import { systemRandom } from '../../src/runtime/random.js'
import { DirectoryLock, LOCK_PREFIX } from '../../src/storage/directory-lock.js'
import { levelStorage } from '../../src/storage/level/index.js'
import { tempFolder } from '../support/temp-folder.js'

const HOLDER = fileURLToPath(new URL('lock-holder.ts', import.meta.url))

const startHolder = async (folder: string): Promise<{ child: ChildProcess; answer: string }> => {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), HOLDER, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [answer] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, answer: answer.toString().trim() }
}

const acquire = async (
  folder: string,
  { files = nodeFiles, process }: { files?: Files; process?: ProcessIdentity } = {},
): Promise<DirectoryLock> =>
  DirectoryLock.acquire(folder, { files, process: process ?? (await nodeProcess()), random: systemRandom })

/** A lock file of somebody else. */
const LEFT = `${LOCK_PREFIX}AAAAAAAAAAAAAAAAAAAAAA`
const leave = (folder: string, content: string): Promise<void> => writeFile(join(folder, LEFT), content)

const locksIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(LOCK_PREFIX))

describe('the lock of a folder', () => {
  it('refuses a second open in the same process, under any name of the folder', async () => {
    const folder = await tempFolder()
    const link = join(await tempFolder(), 'link')
    await symlink(folder, link)
    const first = levelStorage(folder)
    await first.open()
    for (const location of [folder, `${folder}/../${folder.split('/').at(-1)}`, link]) {
      await expect(levelStorage(location).open()).rejects.toMatchObject({
        code: 'STORAGE_LOCKED',
        message: expect.stringContaining('this process has it open already') as string,
        details: { pid: process.pid },
      })
    }
    const partition = await first.partition({ topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 })
    await partition.writeBlobs({ a: new Uint8Array(1) }, 'os')
    await first.close()
    const second = levelStorage(link)
    await second.open()
    await second.close()
    expect(await locksIn(folder)).toEqual([])
  })

  it('is kept by another process while it runs, and free when that was killed', async () => {
    const folder = await tempFolder()
    const { child, answer } = await startHolder(folder)
    expect(answer).toBe('open')
    await expect(levelStorage(folder).open()).rejects.toMatchObject({
      code: 'STORAGE_LOCKED',
      message: expect.stringContaining(`process ${child.pid}`) as string,
    })
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await locksIn(folder)).toHaveLength(2)
    const storage = levelStorage(folder)
    await storage.open()
    const partition = await storage.partition({ topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 })
    expect(partition.state.endOffset).toBe(1)
    await storage.close()
  })

  it('keeps other processes out after a second open in this one was refused', async () => {
    const folder = await tempFolder()
    const storage = levelStorage(folder)
    await storage.open()
    await expect(levelStorage(folder).open()).rejects.toMatchObject({ code: 'STORAGE_LOCKED' })
    expect((await startHolder(folder)).answer).toBe('STORAGE_LOCKED')
    await storage.close()
  })

  it('takes over from an owner whose pid now belongs to another process', async () => {
    const folder = await tempFolder()
    const self = await nodeProcess()
    // The pid is that of a running process, this one, but it started at another time.
    await leave(folder, JSON.stringify({ pid: self.pid, startedAt: 'an earlier boot:1' }))
    const recycled: ProcessIdentity = {
      ...self,
      isRunning: async (pid, startedAt) => pid === self.pid && startedAt === self.startedAt,
    }
    const lock = await acquire(folder, { process: recycled })
    expect(await locksIn(folder)).not.toContain(LEFT)
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it.runIf(process.platform === 'linux')('knows start times of real processes', async () => {
    const folder = await tempFolder()
    await leave(folder, JSON.stringify({ pid: process.pid, startedAt: 'an earlier boot:1' }))
    await (await acquire(folder)).release()
  })

  it.each(['', '{"pid":1', '[]', 'null', '"text"'])(
    'takes over from a file that names nobody: %s',
    async (text) => {
      const folder = await tempFolder()
      await leave(folder, text)
      await (await acquire(folder)).release()
      expect(await readdir(folder)).toEqual([])
    },
  )

  it('has one owner whenever two look at any moment of each other', async () => {
    // The second one takes the lock from its beginning to its end after each of the first one's operations in turn.
    for (let moment = 1; moment <= 4; moment++) {
      const folder = await tempFolder()
      let operations = 0
      let second: Promise<PromiseSettledResult<DirectoryLock>[]> | undefined
      const afterwards = async <T>(result: Promise<T>): Promise<T> => {
        const value = await result
        if (++operations === moment) await (second = Promise.allSettled([acquire(folder)]))
        return value
      }
      const files: Files = {
        ...nodeFiles,
        createExclusive: (path, bytes) => afterwards(nodeFiles.createExclusive(path, bytes)),
        list: (directory) => afterwards(nodeFiles.list(directory)),
        read: (path) => afterwards(nodeFiles.read(path)),
      }
      const [first] = await Promise.allSettled([acquire(folder, { files })])
      const outcomes = [first, ...((await second) ?? [])]
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled').length).toBeLessThanOrEqual(1)
      // Whoever was refused has left nothing behind, so that the folder is free when the owner lets go.
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.release()
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('has one winner when many take over at once', async () => {
    const folder = await tempFolder()
    await leave(folder, JSON.stringify({ pid: 2 ** 30, startedAt: 'x' }))
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquire(folder)))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
  })

  it('is let go of when the open fails', async () => {
    const folder = await tempFolder()
    await mkdir(join(folder, 'CURRENT'))
    await expect(levelStorage(folder).open()).rejects.toMatchObject({ name: 'OttlaError' })
    expect(await locksIn(folder)).toEqual([])
  })
})
