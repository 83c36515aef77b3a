/**
 * What Kafka's sticky assignors tell the leader in the user data of a subscription: what the member owned, and in
 * which generation. It has no version; a generation that is missing marks the form of before KIP-341.
 */
import { Reader } from './reader.js'
import { encoded } from './writer.js'

/** Partitions of a topic. */
interface PartitionsOfTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** What a member of a `sticky` group owned. */
export interface StickyUserData {
  readonly owned: readonly PartitionsOfTopic[]
  /** -1 when it is not known. */
  readonly generation: number
}

/** The user data of Kafka's StickyAssignor. */
export const encodeStickyUserData = ({ owned, generation }: StickyUserData): Uint8Array =>
  encoded((writer) => {
    writer.int32(owned.length)
    for (const { topic, partitions } of owned) {
      writer.string(topic, false)
      writer.int32(partitions.length)
      for (const partition of partitions) writer.int32(partition)
    }
    writer.int32(generation)
  })

/** @throws OttlaError MALFORMED_MESSAGE. */
export const decodeStickyUserData = (encoded: Uint8Array): StickyUserData => {
  const reader = new Reader(encoded)
  // A topic takes six bytes at least: the length of its name, and the number of its partitions.
  const topicCount = reader.count(false, 6) ?? 0
  const owned: PartitionsOfTopic[] = []
  for (let index = 0; index < topicCount; index++) {
    const topic = reader.string(false) ?? ''
    const partitions = Array.from({ length: reader.count(false, 4) ?? 0 }, () => reader.int32())
    owned.push({ topic, partitions })
  }
  return { owned, generation: reader.remaining >= 4 ? reader.int32() : -1 }
}

/** The user data of Kafka's CooperativeStickyAssignor: a generation, and nothing else. */
export const encodeCooperativeStickyUserData = (generation: number): Uint8Array =>
  encoded((writer) => writer.int32(generation))

/** @throws OttlaError MALFORMED_MESSAGE. */
export const decodeCooperativeStickyUserData = (encoded: Uint8Array): number => new Reader(encoded).int32()
