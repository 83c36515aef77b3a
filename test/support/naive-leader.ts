/**
 * Partitions as a naive broker keeps them: lists of values, and Kafka's rules for idempotent producers written down
 * as they are told (KIP-98), with nothing shared with the broker of Ottla.
 */
import { openBatch, type RecordCursor } from '../../src/record/decode.js'
import { assignOffset, readHeader } from '../../src/record/header.js'
import { readUtf8 } from '../../src/runtime/bytes.js'
import type { PendingProduce, ProduceAnswer } from './scripted-cluster.js'

interface Stored {
  readonly producerId: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

const REMEMBERED_BATCHES = 5
const MESSAGE_TOO_LARGE = 10
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45

/** Stores uncompressed batches of one topic. */
export class NaiveLeader {
  /** Larger batches are refused. */
  maxMessageBytes = Infinity
  readonly #values = new Map<number, string[]>()
  readonly #stored = new Map<number, Stored[]>()

  /** What a partition holds, in the order of the offsets. */
  valuesOf(partition: number): readonly string[] {
    return this.#values.get(partition) ?? []
  }

  /** Carries a request out, and says what its answer is; `mayStore` picks the partitions that do not fail with 19. */
  handle({ request }: PendingProduce, mayStore: () => boolean = () => true): ProduceAnswer[] {
    return request.topicData.flatMap(({ partitionData }) =>
      partitionData.map(({ index, records }) =>
        mayStore() ? this.#append(index, records![0]!) : { errorCode: 19 },
      ),
    )
  }

  /** Forgets what it knows of producers, as when their records have expired. */
  forgetProducers(): void {
    this.#stored.clear()
  }

  #append(partition: number, bytes: Uint8Array): ProduceAnswer {
    const { producerId, baseSequence, recordCount } = readHeader(bytes)
    if (bytes.length > this.maxMessageBytes) return { errorCode: MESSAGE_TOO_LARGE }
    const log = this.#values.get(partition) ?? []
    const known = this.#stored.get(partition) ?? []
    this.#values.set(partition, log)
    this.#stored.set(partition, known)
    if (producerId >= 0) {
      const lastSequence = baseSequence + recordCount - 1
      const own = known.filter((batch) => batch.producerId === producerId)
      const again = own
        .slice(-REMEMBERED_BATCHES)
        .find((batch) => batch.firstSequence === baseSequence && batch.lastSequence === lastSequence)
      if (again !== undefined) return { baseOffset: again.baseOffset }
      // A producer that is not known is taken at any sequence.
      const last = own.at(-1)
      if (last !== undefined && baseSequence !== last.lastSequence + 1)
        return { errorCode: OUT_OF_ORDER_SEQUENCE_NUMBER }
      known.push({ producerId, firstSequence: baseSequence, lastSequence, baseOffset: log.length })
    }
    const baseOffset = log.length
    const cursor = openBatch(bytes) as RecordCursor
    while (cursor.next()) log.push(readUtf8(cursor.value!, 0, cursor.value!.length))
    // The bytes are the broker's now, and a broker writes offset and leader epoch into them.
    assignOffset(bytes, baseOffset, 7)
    return { baseOffset }
  }
}
