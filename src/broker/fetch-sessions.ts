/**
 * Fetch sessions (KIP-227): the broker remembers which partitions a client fetches, so that a fetch names only what
 * changed since the one before, and its answer only what has news. A session is a number that a client shows; as in
 * Kafka it is not bound to a connection. Clients in this process have none: nothing they send is serialized.
 */
import type { fetch } from '../protocol/api/fetch.js'
import type { RequestOf, ResponseOf } from '../protocol/schema.js'
import type { Clock } from '../runtime/clock.js'
import type { ErrorCode } from '../runtime/errors/error-table.js'
import type { Random } from '../runtime/random.js'

/** How many sessions there may be: Kafka's default of `max.incremental.fetch.session.cache.slots`. */
export const MAX_FETCH_SESSIONS = 1000
/** How many partitions all sessions may have together; a client that would need more fetches without a session. */
export const MAX_FETCH_SESSION_PARTITIONS = 200_000
/** How long a session must have been unused, or have lasted, before another one may take its place. */
export const FETCH_SESSION_EVICTION_MS = 120_000

type FetchRequest = RequestOf<typeof fetch>
type TopicRequest = FetchRequest['topics'][number]
type PartitionRequest = TopicRequest['partitions'][number]
type TopicResponse = ResponseOf<typeof fetch>['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

/** What a fetch is about, with the session behind it if there is one. */
export interface SessionFetch {
  /** What to fetch, in this order. */
  readonly topics: readonly TopicRequest[]
  /** The session's part of the answer when `responses` was found for `topics`, partition by partition. */
  answer(responses: readonly TopicResponse[]): SessionAnswer
}

/** Which session a fetch belongs to, and what of its responses the client must hear. */
export interface SessionAnswer {
  readonly sessionId: number
  readonly error?: ErrorCode
  readonly responses: readonly TopicResponse[]
}

/** A partition of a session: what is asked for, and what the client was last told. */
interface SessionPartition {
  readonly topic: string
  readonly topicId: string
  wanted: PartitionRequest
  highWatermark: number
  logStartOffset: number
}

interface FetchSession {
  readonly id: number
  readonly isById: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** The epoch that the next fetch must show. */
  epoch: number
  /** Those with the longest wait for records first. */
  readonly partitions: Map<string, SessionPartition>
}

/** The session id of who has none. */
export const NO_SESSION = 0
/** The epoch of a fetch that begins a session. */
const INITIAL_EPOCH = 0
/** The epoch of a fetch that ends its session, or has none. */
const FINAL_EPOCH = -1
const MAX_INT32 = 0x7fffffff

/** The fetch sessions of a broker. */
export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  /** By id, those that were not used for longest first. */
  readonly #sessions = new Map<number, FetchSession>()
  #partitionCount = 0

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size
  }

  /** How many partitions they have together. */
  get partitionCount(): number {
    return this.#partitionCount
  }

  /** What `request` is about, or why it does not fit its session. */
  begin(request: FetchRequest, isById: boolean): SessionFetch | ErrorCode {
    const { sessionId, sessionEpoch, topics } = request
    const session = this.#sessions.get(sessionId)
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      if (session !== undefined) this.#remove(session)
      return sessionEpoch === FINAL_EPOCH ? withoutSession(topics) : this.#full(topics, isById)
    }
    if (session === undefined) return 'FETCH_SESSION_ID_NOT_FOUND'
    if (session.epoch !== sessionEpoch) return 'INVALID_FETCH_SESSION_EPOCH'
    if (session.isById !== isById) return 'FETCH_SESSION_TOPIC_ID_ERROR'
    return this.#incremental(session, request)
  }

  /** A fetch that names all its partitions. The session begins with the answer, if there is room for it. */
  #full(topics: readonly TopicRequest[], isById: boolean): SessionFetch {
    return {
      topics,
      answer: (responses) => ({ sessionId: this.#create(topics, isById, responses), responses }),
    }
  }

  /** A fetch that names what changed. */
  #incremental(session: FetchSession, request: FetchRequest): SessionFetch | ErrorCode {
    const { partitions } = session
    this.#partitionCount -= partitions.size
    for (const { topic, topicId, partitions: changed } of request.topics) {
      for (const wanted of changed) {
        const key = keyOf(topic, topicId, wanted.partition)
        const known = partitions.get(key)
        if (known !== undefined) known.wanted = wanted
        else partitions.set(key, { topic, topicId, wanted, highWatermark: -1, logStartOffset: -1 })
      }
    }
    for (const { topic, topicId, partitions: forgotten } of request.forgottenTopicsData) {
      for (const partition of forgotten) partitions.delete(keyOf(topic, topicId, partition))
    }
    this.#partitionCount += partitions.size
    if (partitions.size === 0) {
      this.#remove(session)
      return withoutSession(request.topics)
    }
    if (this.#partitionCount > MAX_FETCH_SESSION_PARTITIONS) {
      this.#remove(session)
      // The client begins anew with all its partitions, and is served without a session then.
      return 'FETCH_SESSION_ID_NOT_FOUND'
    }
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    session.lastUsedMs = this.#clock.monotonic()
    session.epoch = session.epoch === MAX_INT32 ? 1 : session.epoch + 1
    const { epoch } = session
    return {
      topics: topicsOf(partitions.values()),
      answer: (responses) => {
        const sessionId = session.id
        // Another fetch of the session came while this one waited: its client has given this one up.
        if (session.epoch !== epoch) return { sessionId, error: 'INVALID_FETCH_SESSION_EPOCH', responses: [] }
        return { sessionId, responses: newsOf(session, responses) }
      },
    }
  }

  /** The id of a new session; {@link NO_SESSION} when there is no room. */
  #create(topics: readonly TopicRequest[], isById: boolean, responses: readonly TopicResponse[]): number {
    const now = this.#clock.monotonic()
    const partitions = new Map<string, SessionPartition>()
    topics.forEach(({ topic, topicId, partitions: wanted }, index) => {
      wanted.forEach((each, at) => {
        const told = responses[index]?.partitions[at]
        const highWatermark = told?.errorCode === 0 ? told.highWatermark : -1
        const logStartOffset = told?.logStartOffset ?? -1
        partitions.set(keyOf(topic, topicId, each.partition), {
          topic,
          topicId,
          wanted: each,
          highWatermark,
          logStartOffset,
        })
      })
    })
    if (this.#sessions.size >= MAX_FETCH_SESSIONS && !this.#evictFor(partitions.size, now)) return NO_SESSION
    if (this.#partitionCount + partitions.size > MAX_FETCH_SESSION_PARTITIONS) return NO_SESSION
    const id = this.#newId()
    const session = { id, isById, createdMs: now, lastUsedMs: now, epoch: INITIAL_EPOCH + 1, partitions }
    this.#sessions.set(id, session)
    this.#partitionCount += partitions.size
    return id
  }

  /** Makes room for a session of `size` partitions: one that is stale goes, or the smallest if it is smaller and old. */
  #evictFor(size: number, now: number): boolean {
    let loser: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      if (now - session.lastUsedMs > FETCH_SESSION_EVICTION_MS) {
        loser = session
        break
      }
      const isOld = session.lastUsedMs - session.createdMs > FETCH_SESSION_EVICTION_MS
      if (isOld && session.partitions.size < (loser?.partitions.size ?? size)) loser = session
    }
    if (loser !== undefined) this.#remove(loser)
    return loser !== undefined
  }

  #remove(session: FetchSession): void {
    if (this.#sessions.delete(session.id)) this.#partitionCount -= session.partitions.size
  }

  #newId(): number {
    for (;;) {
      const bytes = this.#random.bytes(4)
      const id = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0) & MAX_INT32
      if (id !== NO_SESSION && !this.#sessions.has(id)) return id
    }
  }
}

/** A fetch that stands for itself. */
export const withoutSession = (topics: readonly TopicRequest[]): SessionFetch => ({
  topics,
  answer: (responses) => ({ sessionId: NO_SESSION, responses }),
})

const keyOf = (topic: string, topicId: string, partition: number): string =>
  `${partition} ${topicId} ${topic}`

/** Partitions in their order as a request has them; those of a topic that follow one another are together. */
const topicsOf = (partitions: Iterable<SessionPartition>): TopicRequest[] => {
  const topics: { topic: string; topicId: string; partitions: PartitionRequest[] }[] = []
  for (const { topic, topicId, wanted } of partitions) {
    const last = topics.at(-1)
    if (last?.topic === topic && last.topicId === topicId) last.partitions.push(wanted)
    else topics.push({ topic, topicId, partitions: [wanted] })
  }
  return topics
}

/** What of `responses` the client does not know yet; from here on it does. */
const newsOf = (session: FetchSession, responses: readonly TopicResponse[]): TopicResponse[] => {
  const news: TopicResponse[] = []
  for (const response of responses) {
    const { topic, topicId } = response
    const partitions = response.partitions.filter((partition) => {
      const key = keyOf(topic, topicId, partition.partitionIndex)
      const known = session.partitions.get(key)
      if (known === undefined) return true
      if (hasRecords(partition)) {
        // The others come first next time.
        session.partitions.delete(key)
        session.partitions.set(key, known)
      }
      return isNews(known, partition)
    })
    if (partitions.length > 0) news.push({ topic, topicId, partitions })
  }
  return news
}

/** Whether the client must hear of `response`; it is taken down as told. */
const isNews = (known: SessionPartition, response: PartitionResponse): boolean => {
  const { errorCode, highWatermark, logStartOffset } = response
  const isMoved = known.highWatermark !== highWatermark || known.logStartOffset !== logStartOffset
  known.logStartOffset = logStartOffset
  // When the error is gone the client must hear of the partition again.
  known.highWatermark = errorCode === 0 ? highWatermark : -1
  return (
    isMoved ||
    errorCode !== 0 ||
    hasRecords(response) ||
    response.divergingEpoch !== undefined ||
    response.preferredReadReplica >= 0
  )
}

const hasRecords = ({ records }: PartitionResponse): boolean => records !== null && records.length > 0
