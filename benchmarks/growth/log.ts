/** The log that `growth` works on: opening it on a storage, and looking at every partition that it has. */
import type { Ottla } from 'ottla'
import { fileStorageEntry, type OttlaModule } from '../harness/ottla.js'
import type { Task } from './settings.js'

/** How often retention and the cleaner look for work: often enough that they do in a short run. */
const CHECK_INTERVAL_MS = 500

const storages = {
  level: async (folder: string) => ({ location: folder }),
  file: async (folder: string) => {
    const { fileStorage } = (await import(fileStorageEntry.href)) as typeof import('ottla/storage/file')
    return { storage: fileStorage(folder) }
  },
}

/** Opens the log in `folder`. */
export const openAt = async (
  { Ottla }: OttlaModule,
  { storage }: Pick<Task, 'storage'>,
  folder: string,
): Promise<Ottla> =>
  Ottla.open({
    ...(await storages[storage](folder)),
    configs: {
      'log.retention.check.interval.ms': CHECK_INTERVAL_MS,
      'log.cleaner.backoff.ms': CHECK_INTERVAL_MS,
    },
  })

/** Asks every partition for its end, which opens each of them. */
export const openAllPartitions = async (ottla: Ottla): Promise<void> => {
  const topics = await ottla.admin.describeTopics(await ottla.admin.listTopics())
  const partitions = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partition }) => ({ topic: name, partition })),
  )
  await ottla.admin.listOffsets(partitions, 'latest')
}

/** Milliseconds until the log in `folder` stands open with every partition looked at; the median of a few. */
export const openingMs = async (
  module: OttlaModule,
  task: Task,
  folder: string,
  times: number,
): Promise<number> => {
  const elapsed: number[] = []
  for (let time = 0; time < times; time++) {
    const start = performance.now()
    const ottla = await openAt(module, task, folder)
    await openAllPartitions(ottla)
    elapsed.push(performance.now() - start)
    await ottla.close()
  }
  return elapsed.sort((a, b) => a - b)[times >> 1]!
}
