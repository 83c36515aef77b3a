/** The Fetch request for a set of partitions of one leader. */
import type { fetch } from '../../protocol/api/fetch.js'
import type { RequestOf } from '../../protocol/schema.js'
import { ZERO_UUID, type Uuid } from '../../runtime/uuid.js'
import type { Cluster } from '../cluster.js'
import { ISOLATION_LEVELS, type IsolationLevel } from '../offset-lookup.js'
import type { PartitionState } from './partition-state.js'

type TopicRequest = RequestOf<typeof fetch>['topics'][number]

/** The limits of a request. */
export interface FetchLimits {
  readonly fetchMinBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxBytes: number
  readonly maxPartitionFetchBytes: number
  readonly isolationLevel: IsolationLevel
}

/** Asks for what follows the fetch offsets of `states`, whose leader is known. Topics get both their name and their id. */
export const requestOf = (
  cluster: Cluster,
  states: readonly PartitionState[],
  limits: FetchLimits,
): RequestOf<typeof fetch> => {
  const topics = new Map<string, { topicId: Uuid; partitions: TopicRequest['partitions'][number][] }>()
  for (const { topic, partition, fetchOffset, fetchedEpoch } of states) {
    const leader = cluster.knownLeader(topic, partition)
    let ofTopic = topics.get(topic)
    if (ofTopic === undefined) {
      ofTopic = { topicId: leader?.topicId ?? ZERO_UUID, partitions: [] }
      topics.set(topic, ofTopic)
    }
    ofTopic.partitions.push({
      partition,
      currentLeaderEpoch: leader?.leaderEpoch ?? -1,
      fetchOffset,
      lastFetchedEpoch: fetchedEpoch,
      logStartOffset: -1,
      partitionMaxBytes: limits.maxPartitionFetchBytes,
    })
  }
  return {
    replicaId: -1,
    maxWaitMs: limits.fetchMaxWaitMs,
    minBytes: limits.fetchMinBytes,
    maxBytes: limits.maxBytes,
    isolationLevel: ISOLATION_LEVELS[limits.isolationLevel],
    // No fetch session: every request says all that it wants.
    sessionId: 0,
    sessionEpoch: -1,
    topics: [...topics].map(([topic, { topicId, partitions }]) => ({ topic, topicId, partitions })),
    forgottenTopicsData: [],
    rackId: '',
  }
}
