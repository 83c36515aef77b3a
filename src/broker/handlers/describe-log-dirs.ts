/** DescribeLogDirs: the one place in which this broker keeps partitions. What cannot be opened is left out of it. */
import type { describeLogDirs } from '../../protocol/api/describe-log-dirs.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { codeOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Topic } from '../topic.js'
import type { Handler } from './handler.js'

type Result = ResponseOf<typeof describeLogDirs>['results'][number]
type TopicResult = Result['topics'][number]

/** What is not known (KIP-827). */
const UNKNOWN_BYTES = -1

export const handleDescribeLogDirs: Handler<typeof describeLogDirs> = async (services, request) => {
  const { storage } = services
  const place = {
    logDir: storage.location ?? storage.name,
    totalBytes: UNKNOWN_BYTES,
    usableBytes: UNKNOWN_BYTES,
    isCordoned: false,
  }
  if (storage.failure !== undefined) {
    const failed = { ...place, errorCode: codeOf('KAFKA_STORAGE_ERROR'), topics: [] }
    return { throttleTimeMs: 0, errorCode: 0, results: [failed] }
  }
  const topics: TopicResult[] = []
  for (const [topic, partitions] of asked(services, request.topics)) {
    const sizes = await sizesOf(topic, partitions)
    if (sizes.length > 0) topics.push({ name: topic.name, partitions: sizes })
  }
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    results: [{ ...place, ...(await storage.volume?.()), errorCode: 0, topics }],
  }
}

/** The topics that are asked for, each with partitions; all of both where none are named. */
const asked = (
  { metadata }: BrokerServices,
  named: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null,
): (readonly [Topic, ReadonlySet<number> | undefined])[] => {
  if (named === null) return [...metadata.topics()].map((topic) => [topic, undefined] as const)
  return named.flatMap(({ topic: name, partitions }) => {
    const topic = metadata.topic(name)
    return topic === undefined ? [] : [[topic, new Set(partitions)] as const]
  })
}

const sizesOf = async (
  topic: Topic,
  wanted: ReadonlySet<number> | undefined,
): Promise<TopicResult['partitions']> => {
  const sizes: TopicResult['partitions'][number][] = []
  for (const partition of topic.partitions) {
    if (wanted !== undefined && !wanted.has(partition.index)) continue
    const log = partition.log ?? (await partition.open().catch(() => undefined))
    if (log === undefined) continue
    sizes.push({
      partitionIndex: partition.index,
      partitionSize: log.sizeBytes,
      offsetLag: Math.max(0, log.endOffset - log.highWatermark),
      isFutureKey: false,
    })
  }
  return sizes
}
