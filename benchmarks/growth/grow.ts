/**
 * The part that writes: a short log and a long one, how fast both ends of the long one go, how long each takes to open;
 * then everything at once, producing at full rate beside retention and compaction.
 */
import { join } from 'node:path'
import type { Ottla, Topic } from 'ottla'
import type { OttlaModule } from '../harness/ottla.js'
import { openAt, openingMs } from './log.js'
import type { Figures, GrowthSettings, Task } from './settings.js'

type BytesTopic = Topic<Uint8Array, Uint8Array>

/** The share of the log whose writing is timed at its beginning and at its end. */
const TIMED_SHARE = 0.1
const OPENINGS = 5
/** What retention leaves, and how many keys compaction does: little beside what is written meanwhile. */
const BUSY_RETENTION_BYTES = 8_000_000
const BUSY_KEYS = 1000

/** Runs the part, and leaves a log open that nobody closed. */
export const grow = async (module: OttlaModule, task: Task): Promise<Figures> => {
  const { settings } = task
  const shortFolder = join(task.folder, 'short')
  const longFolder = join(task.folder, 'long')
  const short = await openAt(module, task, shortFolder)
  await produceMb(short, await topicIn(module, short, settings), settings, settings.totalMb / 100)
  await short.close()

  const long = await openAt(module, task, longFolder)
  const topic = await topicIn(module, long, settings)
  const timedMb = settings.totalMb * TIMED_SHARE
  const appendFirst = await produceMb(long, topic, settings, timedMb)
  const tailReadFirst = await readTail(long, topic, settings.valueBytes, timedMb / 2)
  await produceMb(long, topic, settings, settings.totalMb - 2 * timedMb)
  const appendLast = await produceMb(long, topic, settings, timedMb)
  const tailReadLast = await readTail(long, topic, settings.valueBytes, timedMb / 2)
  await long.close()

  const figures = {
    'append-first': appendFirst,
    'append-last': appendLast,
    'tail-read-first': tailReadFirst,
    'tail-read-last': tailReadLast,
    'open-short': await openingMs(module, task, shortFolder, OPENINGS),
    'open-long': await openingMs(module, task, longFolder, OPENINGS),
  }
  await beBusy(module, await openAt(module, task, longFolder), settings)
  return figures
}

const topicIn = ({ bytes }: OttlaModule, ottla: Ottla, { partitions }: GrowthSettings): Promise<BytesTopic> =>
  ottla.createTopic('growth', { partitions, key: bytes, value: bytes, configs: { 'retention.ms': -1 } })

/** The records of one batch; made quickly, or the benchmark would hold up the event loop that it watches. */
const makeRecords = ({ valueBytes, batchBytes }: GrowthSettings): { value: Uint8Array }[] => {
  const value = Buffer.alloc(valueBytes, 'some text that is told again and again ')
  return Array.from({ length: Math.floor(batchBytes / (valueBytes + 16)) }, () => ({ value }))
}

/** Writes `megabytes` of values, batches in turn to every partition. Resolves to MB/s. */
const produceMb = async (
  ottla: Ottla,
  topic: BytesTopic,
  settings: GrowthSettings,
  megabytes: number,
): Promise<number> => {
  const records = Array.from({ length: settings.partitions }, (_, partition) =>
    makeRecords(settings).map((record) => ({ ...record, partition })),
  )
  const bytesASend = records[0]!.length * settings.valueBytes
  const sends = Math.max(Math.round((megabytes * 1e6) / bytesASend), settings.partitions)
  const producer = ottla.producer({ batchSize: settings.batchBytes })
  const inFlight = new Set<Promise<unknown>>()
  const start = performance.now()
  for (let send = 0; send < sends; send++) {
    const sent = producer.send(topic, records[send % settings.partitions]!)
    inFlight.add(sent)
    void sent.finally(() => inFlight.delete(sent))
    if (inFlight.size >= settings.batchesInFlight) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
  const seconds = (performance.now() - start) / 1000
  await producer.close()
  return (sends * bytesASend) / 1e6 / seconds
}

/** Reads the newest `megabytes`, partition after partition. Resolves to MB/s. */
const readTail = async (
  ottla: Ottla,
  topic: BytesTopic,
  valueBytes: number,
  megabytes: number,
): Promise<number> => {
  const partitions = Array.from({ length: topic.partitionCount }, (_, index) => index)
  const bytesEach = (megabytes * 1e6) / partitions.length
  let bytes = 0
  const start = performance.now()
  for (const index of partitions) {
    const partition = topic.partition(index)
    const [end] = await ottla.admin.listOffsets([partition], 'latest')
    const from = Math.max((end?.offset ?? 0) - Math.ceil(bytesEach / valueBytes), 0)
    for await (const message of partition.read({ from, to: 'latest' })) bytes += message.value.length
  }
  return bytes / 1e6 / ((performance.now() - start) / 1000)
}

/** Producing at full rate into what retention cuts and compaction rewrites, while both of them do. */
const beBusy = async ({ bytes }: OttlaModule, ottla: Ottla, settings: GrowthSettings): Promise<void> => {
  const cut = await ottla.createTopic('cut', {
    partitions: settings.partitions,
    key: bytes,
    value: bytes,
    configs: { 'retention.bytes': BUSY_RETENTION_BYTES, 'segment.bytes': BUSY_RETENTION_BYTES / 4 },
  })
  const compacted = await ottla.createTopic('compacted', {
    partitions: 1,
    key: bytes,
    value: bytes,
    configs: {
      'cleanup.policy': 'compact',
      'segment.bytes': BUSY_RETENTION_BYTES,
      'min.cleanable.dirty.ratio': 0.01,
    },
  })
  const keyed = makeRecords(settings).map((record, index) => ({
    ...record,
    key: Uint8Array.of(index & 0xff, (index * 7) % Math.ceil(BUSY_KEYS / 256)),
  }))
  const end = performance.now() + settings.busySeconds * 1000
  const producer = ottla.producer({ batchSize: settings.batchBytes })
  const keepSendingKeys = async (): Promise<void> => {
    while (performance.now() < end) await producer.send(compacted, keyed)
  }
  const keepSending = async (): Promise<void> => {
    while (performance.now() < end) await produceMb(ottla, cut, settings, 50)
  }
  let passes = 0
  ottla.events.on('logCompacted', () => passes++)
  await Promise.all([keepSending(), keepSendingKeys()])
  // A short run may be over before the cleaner looks.
  if (passes === 0 && settings.busySeconds > 1) throw new Error('nothing was compacted meanwhile')
}
