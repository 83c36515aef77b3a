/** The messages that consumers hand out: one class, so that everything that reads them stays monomorphic. */
import type { RecordHeader } from '../../record/encode.js'
import type { TimestampType } from '../../record/header.js'
import type { Message } from '../message.js'

/** A record that was read. */
export class ConsumedMessage implements Message {
  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly offset: number,
    readonly timestamp: number,
    readonly timestampType: TimestampType,
    readonly key: unknown,
    readonly value: unknown,
    readonly headers: readonly RecordHeader[],
    readonly leaderEpoch: number,
  ) {}
}
