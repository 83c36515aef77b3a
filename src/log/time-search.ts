/** Finding records by time: the first at or after a timestamp, and the one with the largest (KIP-734). */
import { openBatch, type RecordCursor } from '../record/decode.js'
import { leaderEpochOf } from '../record/header.js'
import type { BatchInfo, PartitionStorage } from '../storage/contract.js'

/** A record found by its timestamp. */
export interface TimestampedOffset {
  readonly offset: number
  /** In milliseconds. */
  readonly timestamp: number
  /** The epoch of the leader that appended it. */
  readonly leaderEpoch: number
}

/** Which part of the log is searched: `[startOffset, endOffset)`. */
export interface SearchRange {
  readonly startOffset: number
  readonly endOffset: number
}

/** The first record in `range` whose timestamp is at least `timestamp`; compressed batches are looked into as well. */
export const findByTimestamp = async (
  storage: PartitionStorage,
  range: SearchRange,
  timestamp: number,
): Promise<TimestampedOffset | undefined> => {
  for (let from = range.startOffset; ;) {
    const info = await findBatch(storage, range, timestamp, from)
    if (info === undefined) return undefined
    const found = await findInBatch(storage, range, info, timestamp)
    if (found !== undefined) return found
    // The record that made the batch's timestamp lies below the range, or compaction removed it.
    from = info.lastOffset + 1
  }
}

/** The first record in `range` that has the largest timestamp there; undefined when none has one. */
export const findMaxTimestamp = async (
  storage: PartitionStorage,
  range: SearchRange,
): Promise<TimestampedOffset | undefined> => {
  const [first] = await storage.infos(range.startOffset, 1)
  if (first === undefined || first.lastOffset >= range.endOffset) return undefined
  // The start may lie within the first batch, whose largest timestamp then says nothing of what is left of it.
  const cutOff = first.baseOffset < range.startOffset
  const whole = cutOff ? { ...range, startOffset: first.lastOffset + 1 } : range
  const largest = await largestTimestamp(storage, whole)
  const found =
    largest < 0
      ? undefined
      : ((await findByTimestamp(storage, whole, largest)) ?? (await largestByReading(storage, whole)))
  if (!cutOff) return found
  const head = await maxInBatch(storage, range, first)
  return head !== undefined && head.timestamp >= (found?.timestamp ?? 0) ? head : found
}

/**
 * The largest timestamp of the batches in `range`; -1 when none has one. The storage can tell whether any batch
 * reaches a timestamp, so the largest is found by growing steps and then halves of them, whatever the log's length.
 */
const largestTimestamp = async (storage: PartitionStorage, range: SearchRange): Promise<number> => {
  const [last] = range.endOffset > range.startOffset ? await storage.infos(range.endOffset - 1, 1) : []
  let reached = last === undefined ? -1 : Math.max(last.maxTimestamp, -1)
  let missed = Number.MAX_SAFE_INTEGER + 1
  for (let step = 1; missed - reached > 1; step *= 2) {
    const probe = reached + Math.min(step, Math.floor((missed - reached) / 2))
    const info = await findBatch(storage, range, probe, range.startOffset)
    if (info === undefined) missed = probe
    else reached = info.maxTimestamp
  }
  return reached
}

/** How many batches are looked at together. */
const PAGE_BATCHES = 100

/**
 * As findMaxTimestamp, where the largest timestamp is that of a batch which compaction emptied: its records are gone,
 * and what is the largest of the others, no batch's timestamp tells beforehand.
 */
const largestByReading = async (
  storage: PartitionStorage,
  range: SearchRange,
): Promise<TimestampedOffset | undefined> => {
  let found: TimestampedOffset | undefined
  for (let from = range.startOffset; ;) {
    const infos = await storage.infos(from, PAGE_BATCHES)
    for (const info of infos) {
      if (info.lastOffset >= range.endOffset) return found
      from = info.lastOffset + 1
      if (info.maxTimestamp <= (found?.timestamp ?? -1)) continue
      const inBatch = await maxInBatch(storage, range, info)
      if (inBatch !== undefined && inBatch.timestamp > (found?.timestamp ?? -1)) found = inBatch
    }
    if (infos.length === 0) return found
  }
}

const findBatch = async (
  storage: PartitionStorage,
  range: SearchRange,
  timestamp: number,
  from: number,
): Promise<BatchInfo | undefined> => {
  const info = await storage.findByTimestamp(timestamp, from)
  return info !== undefined && info.lastOffset < range.endOffset ? info : undefined
}

const openRecords = async (
  storage: PartitionStorage,
  info: BatchInfo,
): Promise<{ readonly cursor: RecordCursor; readonly leaderEpoch: number } | undefined> => {
  const [batch] = await storage.read(info.baseOffset, 1)
  // Dropped since it was found: it is no longer part of the log.
  if (batch?.baseOffset !== info.baseOffset) return undefined
  return { cursor: await openBatch(batch.bytes), leaderEpoch: leaderEpochOf(batch.bytes) }
}

const findInBatch = async (
  storage: PartitionStorage,
  range: SearchRange,
  info: BatchInfo,
  timestamp: number,
): Promise<TimestampedOffset | undefined> => {
  const records = await openRecords(storage, info)
  if (records === undefined) return undefined
  const { cursor, leaderEpoch } = records
  while (cursor.next()) {
    if (cursor.timestamp < timestamp || cursor.offset < range.startOffset) continue
    return { offset: cursor.offset, timestamp: cursor.timestamp, leaderEpoch }
  }
  return undefined
}

const maxInBatch = async (
  storage: PartitionStorage,
  range: SearchRange,
  info: BatchInfo,
): Promise<TimestampedOffset | undefined> => {
  const records = await openRecords(storage, info)
  if (records === undefined) return undefined
  const { cursor, leaderEpoch } = records
  let offset = -1
  let timestamp = -1
  while (cursor.next()) {
    if (cursor.offset < range.startOffset || cursor.timestamp <= timestamp) continue
    offset = cursor.offset
    timestamp = cursor.timestamp
  }
  return offset < 0 ? undefined : { offset, timestamp, leaderEpoch }
}
