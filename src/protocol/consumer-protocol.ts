/**
 * The consumer protocol: what the members of a classic consumer group tell each other through JoinGroup and
 * SyncGroup. It is a protocol between clients, which the broker reads only to know who subscribes to what.
 */
import { array, bytes, defineRecord, int32, string, type RecordOf } from './schema.js'
import { decodeVersioned, encodeVersioned } from './versioned-record.js'

const subscription = defineRecord({
  key: -1,
  name: 'ConsumerProtocolSubscription',
  versions: [0, 3],
  flexible: 1000,
  fields: {
    topics: array(string()),
    userData: bytes({ nullable: 0, default: null }),
    ownedPartitions: array(
      { topic: string({ since: 1 }), partitions: array(int32(), { since: 1 }) },
      { since: 1, ignorable: true },
    ),
    generationId: int32({ since: 2, default: -1, ignorable: true }),
    rackId: string({ since: 3, nullable: 3, default: null, ignorable: true }),
  },
})

const assignment = defineRecord({
  key: -1,
  name: 'ConsumerProtocolAssignment',
  versions: [0, 3],
  flexible: 1000,
  fields: {
    assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
    userData: bytes({ nullable: 0, default: null }),
  },
})

/** What a member subscribes to, and what it owned in the generation before. */
export type Subscription = RecordOf<typeof subscription>
/** The partitions that a member is given. */
export type Assignment = RecordOf<typeof assignment>

/** The bytes of a subscription, in the newest version. */
export const encodeSubscription = (value: Subscription): Uint8Array => encodeVersioned(subscription, 3, value)

/** @throws OttlaError MALFORMED_MESSAGE. */
export const decodeSubscription = (encoded: Uint8Array): Subscription =>
  decodeVersioned(subscription, encoded)

/** The bytes of an assignment, in the newest version. */
export const encodeAssignment = (value: Assignment): Uint8Array => encodeVersioned(assignment, 3, value)

/** @throws OttlaError MALFORMED_MESSAGE. */
export const decodeAssignment = (encoded: Uint8Array): Assignment => decodeVersioned(assignment, encoded)
