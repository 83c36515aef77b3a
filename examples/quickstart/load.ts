/** Streams the real records into their topics, and says how far it has come. */
import type { Ottla, Topic } from 'ottla'
import type { Keyed } from './records.js'
import { megabytes, progress } from './terminal.js'

const CHUNK_RECORDS = 1000

/** Sends all of `records` to `topic`, a thousand at a time, and resolves when they are stored. */
export const load = async <V>(
  ottla: Ottla,
  topic: Topic<string, V>,
  records: readonly Keyed<V>[],
): Promise<void> => {
  const meter = progress(topic.name, records.length)
  await using producer = ottla.producer({ batchSize: 64 * 1024 })
  for (let at = 0; at < records.length; at += CHUNK_RECORDS) {
    await producer.send(topic, records.slice(at, at + CHUNK_RECORDS))
    meter.to(at + CHUNK_RECORDS)
  }
  meter.finish(`log on disk: ${megabytes(await ottla.storageSizeBytes())}`)
}
