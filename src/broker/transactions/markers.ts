/** Ends a transaction in the partitions that it wrote to (KIP-98): a marker in each of them. */
import { encodeControlBatch, type TransactionMarker } from '../../record/control.js'
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import { OFFSETS_TOPIC } from '../metadata/topic-name.js'
import type { Partition } from '../topic.js'
import type { ProducerIdAndEpoch, TransactionPartitions } from './transaction-metadata.js'

/** How a producer's transaction ended. */
export interface EndMarker extends ProducerIdAndEpoch, TransactionMarker {}

/** What markers are written with. */
export interface MarkerServices {
  readonly clock: Clock
  readonly metadata: ClusterMetadata
  /** Writes a marker into a partition of `__consumer_offsets`, and lets the offsets count that it commits. */
  endInOffsets(partition: number, marker: EndMarker, batch: Uint8Array): Promise<void>
}

/**
 * Writes `marker` into one partition; resolves when it is durable.
 * @throws OttlaError INVALID_PRODUCER_EPOCH when a later epoch of the producer was there already,
 * TRANSACTION_COORDINATOR_FENCED, and what keeps the partition from being written to.
 */
export const writeMarker = async (
  services: MarkerServices,
  partition: Partition,
  marker: EndMarker,
): Promise<void> => {
  const batch = encodeControlBatch({ ...marker, timestamp: services.clock.now() })
  if (partition.topic.name === OFFSETS_TOPIC) {
    await services.endInOffsets(partition.index, marker, batch)
    return
  }
  const log = partition.log ?? (await partition.open())
  await log.append(batch, { origin: 'coordinator' })
}

/**
 * Writes `marker` into all of `partitions`; what is deleted since needs none. Resolves when they are durable.
 * @throws OttlaError the first reason for which one could not be written, after all others were.
 */
export const writeMarkers = async (
  services: MarkerServices,
  partitions: TransactionPartitions,
  marker: EndMarker,
): Promise<void> => {
  const written: Promise<void>[] = []
  for (const [name, indexes] of partitions) {
    for (const index of indexes) written.push(writeWherePresent(services, name, index, marker))
  }
  const failure = (await Promise.allSettled(written)).find(({ status }) => status === 'rejected')
  if (failure?.status === 'rejected') throw failure.reason
}

const writeWherePresent = async (
  services: MarkerServices,
  name: string,
  index: number,
  marker: EndMarker,
): Promise<void> => {
  const partition = services.metadata.topic(name)?.partition(index)
  if (partition === undefined) return
  try {
    await writeMarker(services, partition, marker)
  } catch (error) {
    // A later epoch has been there: whoever wrote it has ended this transaction, or seen it ended.
    if (OttlaError.is(error, 'INVALID_PRODUCER_EPOCH')) return
    // The partition may have gone with its topic while the marker was on its way. One that is still there, its log being
    // closed with the broker, needs the marker from the next broker.
    if (services.metadata.topic(name)?.partition(index) === partition) throw error
  }
}
