/** One owner per folder: in this process, between processes, and after an owner was killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Files, ProcessIdentity } from '../../src/runtime/files.js'
import { nodeFiles } from '../../src/runtime/node/node-files.js'
import { nodeProcess } from '../../src/runtime/node/node-process.js'
import { systemRandom } from '../../src/runtime/random.js'
import { DirectoryLock, LOCK_FILE } from '../../src/storage/directory-lock.js'
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
    expect(await readdir(folder)).not.toContain(LOCK_FILE)
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
    expect(await readdir(folder)).toContain(LOCK_FILE)
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
    const stale = JSON.stringify({ pid: self.pid, startedAt: 'an earlier boot:1', token: 'x' })
    await writeFile(join(folder, LOCK_FILE), stale)
    const recycled: ProcessIdentity = {
      ...self,
      isRunning: async (pid, startedAt) => pid === self.pid && startedAt === self.startedAt,
    }
    const lock = await acquire(folder, { process: recycled })
    expect(await readFile(join(folder, LOCK_FILE), 'utf8')).not.toBe(stale)
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it.runIf(process.platform === 'linux')('knows start times of real processes', async () => {
    const folder = await tempFolder()
    const stale = JSON.stringify({ pid: process.pid, startedAt: 'an earlier boot:1', token: 'x' })
    await writeFile(join(folder, LOCK_FILE), stale)
    await (await acquire(folder)).release()
  })

  it.each(['', '{"pid":1', '[]', 'null', '"text"'])(
    'takes over a lock that was cut short: %s',
    async (text) => {
      const folder = await tempFolder()
      await writeFile(join(folder, LOCK_FILE), text)
      await (await acquire(folder)).release()
      expect(await readdir(folder)).toEqual([])
    },
  )

  it('does not take away a lock whose owner is about to write it', async () => {
    const folder = await tempFolder()
    let other: Promise<PromiseSettledResult<DirectoryLock>[]> | undefined
    // Creation and content are two steps; between them another one comes and finds an empty file.
    const slow: Files = {
      ...nodeFiles,
      createExclusive: async (path, bytes) => {
        if (other !== undefined) return nodeFiles.createExclusive(path, bytes)
        if (!(await nodeFiles.createExclusive(path, new Uint8Array(0)))) return false
        other = Promise.allSettled([acquire(folder)])
        await other
        if ((await nodeFiles.read(path))?.length === 0) await writeFile(path, bytes)
        return true
      },
    }
    const [first] = await Promise.allSettled([acquire(folder, { files: slow })])
    const [second] = (await other)!
    expect([first.status, second!.status].sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('puts back a lock that was taken over while it was judged', async () => {
    const folder = await tempFolder()
    const path = join(folder, LOCK_FILE)
    await writeFile(path, JSON.stringify({ pid: 2 ** 30, startedAt: 'x', token: 'x' }))
    let faster: DirectoryLock | undefined
    // Another one takes the abandoned lock over after this one has judged it, and before it moves it away.
    const late: Files = {
      ...nodeFiles,
      rename: async (from, to) => {
        faster ??= await acquire(folder)
        return nodeFiles.rename(from, to)
      },
    }
    await expect(acquire(folder, { files: late })).rejects.toMatchObject({ code: 'STORAGE_LOCKED' })
    await faster!.release()
    expect(await readdir(folder)).toEqual([])
  })

  it('has one winner when many take over at once', async () => {
    const folder = await tempFolder()
    await writeFile(join(folder, LOCK_FILE), JSON.stringify({ pid: 2 ** 30, startedAt: 'x', token: 'x' }))
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquire(folder)))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
  })

  it('releases only what is still its own', async () => {
    const folder = await tempFolder()
    const lock = await acquire(folder)
    await writeFile(join(folder, LOCK_FILE), 'of another')
    await lock.release()
    expect(await readFile(join(folder, LOCK_FILE), 'utf8')).toBe('of another')
  })

  it('is let go of when the open fails', async () => {
    const folder = await tempFolder()
    await mkdir(join(folder, 'CURRENT'))
    await expect(levelStorage(folder).open()).rejects.toMatchObject({ name: 'OttlaError' })
    expect(await readdir(folder)).not.toContain(LOCK_FILE)
  })
})
