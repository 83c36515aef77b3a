/** Which process this is, from Node and (on Linux) from /proc, where a start time is exact. */
import { readFile } from 'node:fs/promises'
import type { ProcessIdentity } from '../files.js'

/** Boot id and start tick of `pid` on Linux; undefined elsewhere or when there is no such process. */
const linuxStart = async (pid: number): Promise<string | undefined> => {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may hold spaces; what follows it is split by spaces, and
    // the start time is field 22 of the whole.
    const startTick = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return startTick === undefined ? undefined : `${boot}:${startTick}`
  } catch {
    return undefined
  }
}

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** This process, as locks record it. */
export const nodeProcess = async (): Promise<ProcessIdentity> => {
  const own = await linuxStart(process.pid)
  return {
    pid: process.pid,
    startedAt: own ?? '',
    isRunning: async (pid, startedAt) => {
      if (!exists(pid)) return false
      // Without /proc a live process with this pid has to count as the owner.
      if (startedAt === '' || own === undefined) return true
      return (await linuxStart(pid)) === startedAt
    },
  }
}
