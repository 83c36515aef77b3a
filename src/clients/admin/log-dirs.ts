/** Admin requests about where brokers keep partitions. */
import { describeLogDirs as describeLogDirsApi } from '../../protocol/api/describe-log-dirs.js'
import { errorFromKafkaCode, type OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import type { AdminOptions } from './admin-options.js'

/** A partition as it lies in a log directory. */
export interface ReplicaInfo extends TopicPartition {
  /** The bytes of its batches. */
  readonly sizeBytes: number
  /** How many offsets it is behind: its end less the high watermark, where it is the partition's current log. */
  readonly offsetLag: number
  /** Whether it is being made, to take the place of the current one. */
  readonly isFuture: boolean
}

/** A place in which a broker keeps partitions. */
export interface LogDirDescription {
  /** Its path; for a log that is in no folder the name of the storage, e.g. `memory`. */
  readonly logDir: string
  /** Why it cannot be used; undefined when it can. */
  readonly error: OttlaError | undefined
  /** What it holds. */
  readonly replicas: readonly ReplicaInfo[]
  /** The size of the disk that it is on, in bytes; undefined when that is not known. */
  readonly totalBytes: number | undefined
  /** What may still be written there, in bytes; undefined when that is not known. */
  readonly usableBytes: number | undefined
  /** Whether no new partitions are put there. */
  readonly isCordoned: boolean
}

export const describeLogDirs = async (
  { cluster }: ClientContext,
  { signal }: AdminOptions,
): Promise<readonly LogDirDescription[]> => {
  const channel = await cluster.any({ signal })
  const { errorCode, results } = await channel.send(describeLogDirsApi, { topics: null }, { signal })
  if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
  return results.map(({ errorCode: code, logDir, topics, totalBytes, usableBytes, isCordoned }) => ({
    logDir,
    error: code === 0 ? undefined : errorFromKafkaCode(code, undefined, { details: { logDir } }),
    replicas: topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic: name,
        partition: partitionIndex,
        sizeBytes: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
    ),
    totalBytes: knownBytes(totalBytes),
    usableBytes: knownBytes(usableBytes),
    isCordoned,
  }))
}

const knownBytes = (bytes: number): number | undefined => (bytes < 0 ? undefined : bytes)
