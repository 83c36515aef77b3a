/** Kafka's rules for topic names. */
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'

/** The topic that keeps groups and their offsets. */
export const OFFSETS_TOPIC = '__consumer_offsets'
/** The topic that keeps transactional ids and their transactions. */
export const TRANSACTIONS_TOPIC = '__transaction_state'
/** The topic of KRaft's metadata log; it is no topic that clients see. */
export const METADATA_TOPIC = '__cluster_metadata'

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  OFFSETS_TOPIC,
  TRANSACTIONS_TOPIC,
  '__share_group_state',
])

const MAX_NAME_LENGTH = 249

/** Whether the broker itself owns the topic of this name: clients neither delete it nor write to it. */
export const isInternalTopic = (name: string): boolean => INTERNAL_TOPICS.has(name)

const reasonAgainst = (name: unknown): string | undefined => {
  if (typeof name !== 'string') return 'it is not a text'
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > MAX_NAME_LENGTH) return `it is longer than ${MAX_NAME_LENGTH} characters`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return "it contains characters other than ASCII alphanumerics, '.', '_' and '-'"
  }
  return undefined
}

/** @throws OttlaError INVALID_TOPIC_EXCEPTION when a topic cannot have this name. */
export const checkTopicName = (name: string): void => {
  const reason = reasonAgainst(name)
  if (reason !== undefined) {
    throw new OttlaError('INVALID_TOPIC_EXCEPTION', `Topic name ${show(name)} is invalid: ${reason}.`, {
      details: { name },
    })
  }
}

/** What a name looks like in metric names, where `.` and `_` are the same: two topics must not share one. */
export const collisionKey = (name: string): string => name.replaceAll('.', '_')
