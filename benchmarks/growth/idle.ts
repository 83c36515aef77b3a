/** What partitions cost that nobody touches any more, every one of which was written to and looked at once. */
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { OttlaModule } from '../harness/ottla.js'
import { openAllPartitions, openAt } from './log.js'
import type { Figures, Task } from './settings.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const memoryBytes = (): number => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

/** Memory a partition, in KB of 1,024 bytes, and the timers that all of them need. */
export const measureIdle = async (module: OttlaModule, task: Task): Promise<Figures> => {
  const { idlePartitions } = task.settings
  const folder = join(task.folder, 'idle')
  const first = await openAt(module, task, folder)
  const topic = await first.createTopic('idle', { partitions: idlePartitions, value: module.bytes })
  const value = new Uint8Array(100)
  const producer = first.producer()
  await producer.send(
    topic,
    Array.from({ length: idlePartitions }, (_, partition) => ({ partition, value })),
  )
  await first.close()

  const empty = await openAt(module, task, join(task.folder, 'empty'))
  await openAllPartitions(empty)
  await empty.close()
  const before = memoryBytes()
  const ottla = await openAt(module, task, folder)
  await openAllPartitions(ottla)
  const after = memoryBytes()
  const figures = {
    'idle-partition': (after - before) / idlePartitions / 1024,
    'idle-timers': timers() + 1,
  }
  await ottla.close()
  return figures
}
