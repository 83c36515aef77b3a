/** A log on a machine that crashes, and a naive one beside it: each step is taken by both, and they are compared after it. */
import assert from 'node:assert/strict'
import { CHECKPOINT_BLOB, decodeCheckpoint } from '../../../src/log/checkpoint.js'
import { PLACE_BYTES } from '../../../src/log/compaction/offset-map.js'
import { Pace } from '../../../src/log/compaction/pace.js'
import type { LogConfig } from '../../../src/log/log-config.js'
import { verifyPartition } from '../../../src/log/maintenance/verify-partition.js'
import type { ProducerEntry } from '../../../src/log/producer-state.js'
import type { PartitionLog } from '../../../src/log/partition-log.js'
import { encodeControlBatch } from '../../../src/record/control.js'
import { BatchBuilder } from '../../../src/record/encode.js'
import type { CompressionType } from '../../../src/record/header.js'
import { toUtf8 } from '../../../src/runtime/bytes.js'
import { systemRandom } from '../../../src/runtime/random.js'
import type { Durability, LogStorage } from '../../../src/storage/contract.js'
import { clockAt, ID, KEEP_ALL, openLog } from '../../support/log-batches.js'
import { compareProducers, compareRead, compareVisible, refusal } from './compare.js'
import type { Crash, Machine } from './machines.js'
import { NaivePartitionLog, sequenceAfter } from './naive-partition-log.js'

/** A record to be written. */
export interface Written {
  readonly key: string | null
  readonly value: string | null
  /** How old it is; -1 for one without a timestamp. */
  readonly age: number
}

/** What is to be appended. */
export type Appended =
  | { readonly kind: 'plain'; readonly records: readonly Written[]; readonly codec: CompressionType }
  | {
      readonly kind: 'produce'
      readonly producer: number
      readonly records: readonly Written[]
      readonly codec: CompressionType
      readonly isTransactional: boolean
      /** Whether it begins a new epoch, as one that was initialized again does. */
      readonly bumps: boolean
    }
  | {
      readonly kind: 'end'
      readonly producer: number
      readonly type: 'commit' | 'abort'
      readonly bumps: boolean
      /** Whether another coordinator writes the marker than the last one. */
      readonly isNewCoordinator: boolean
    }

/** What changes a log besides appends. */
export type Change =
  | { readonly kind: 'truncate' | 'delete'; readonly percent: number }
  | { readonly kind: 'retain'; readonly ms: number; readonly bytes: number }
  | { readonly kind: 'compact'; readonly maxKeys: number; readonly bufferBytes: number }
  | { readonly kind: 'checkpoint' }

/** One step. */
export type Step =
  | { readonly kind: 'append'; readonly batches: readonly Appended[] }
  | {
      readonly kind: 'read'
      readonly percent: number
      readonly maxBytes: number
      readonly committed: boolean
    }
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'tick'; readonly ms: number }
  | { readonly kind: 'reopen'; readonly newEpoch: boolean }
  | {
      readonly kind: 'crash'
      readonly how: number
      readonly after: number
      readonly during: { readonly append: readonly Appended[] } | { readonly change: Change }
    }

/** The settings of a run. */
export interface Settings {
  readonly timestampType: LogConfig['timestampType']
  readonly durability: Durability
  readonly segmentBytes: number
}

const DELETE_RETENTION_MS = 100
const EXPIRATION_MS = 400
/** Where a producer begins whom nobody knows: any sequence is accepted, and one of them comes to the wrap soon (P5). */
const FIRST_SEQUENCE: Readonly<Record<number, number>> = { 1: 0, 2: 5, 3: 2 ** 31 - 4 }

const bytesOf = (text: string | null): Uint8Array | null => (text === null ? null : toUtf8(text))

interface Sent {
  readonly bytes: Uint8Array
  readonly origin: 'client' | 'coordinator'
  readonly coordinatorEpoch: number
}

export class LogWorld {
  readonly #machine: Machine
  readonly #clock = clockAt(1_000_000)
  readonly #config: LogConfig
  #storage!: LogStorage
  #log!: PartitionLog
  #model: NaivePartitionLog
  /** What a power failure may leave: what was flushed last, and everything since. */
  #flushed: NaivePartitionLog[] = []
  /** The newest epochs that were given out, which no crash takes back. */
  readonly #clients = new Map<number, { epoch: number; coordinatorEpoch: number }>()

  constructor(machine: Machine, settings: Settings) {
    this.#machine = machine
    this.#config = {
      ...KEEP_ALL,
      ...settings,
      compacts: true,
      minCleanableDirtyRatio: 0,
      deleteRetentionMs: DELETE_RETENTION_MS,
      producerIdExpirationMs: EXPIRATION_MS,
    }
    // What has no disk beneath it refuses to wait for one.
    if (!machine.flushes) this.#config = { ...this.#config, durability: 'os' }
    this.#model = new NaivePartitionLog(settings.segmentBytes, settings.timestampType === 'LogAppendTime')
  }

  /** Takes all steps, and leaves nothing open. */
  async run(steps: readonly Step[]): Promise<void> {
    try {
      await this.#open()
      await this.#compare()
      this.#settled(true)
      for (const step of steps) {
        await this.#take(step)
        await this.#compare()
      }
      const { problems } = await verifyPartition(await this.#storage.partition(ID), {
        topic: 'orders',
        clock: this.#clock,
      })
      assert.deepEqual(problems, [])
      await this.#log.close()
    } finally {
      await this.#storage.close().catch(() => undefined)
      await this.#machine.remove()
    }
  }

  async #open(): Promise<void> {
    this.#storage = await this.#machine.open()
    await this.#openLog()
  }

  async #openLog(): Promise<void> {
    const { leaderEpoch } = this.#model
    const storage = await this.#storage.partition(ID)
    const clock = this.#clock
    this.#log = await openLog(storage, this.#config, { clock, leaderEpoch, isOnDisk: true })
  }

  /** A leader of an epoch before that of the newest batch cannot open the log (L6). */
  async #assertFenced(): Promise<void> {
    const leaderEpoch = (this.#model.epochs.at(-1)?.epoch ?? 0) - 1
    if (leaderEpoch < 0) return
    const storage = await this.#storage.partition(ID)
    const older = openLog(storage, this.#config, { clock: this.#clock, leaderEpoch })
    assert.equal(await refusal(older), 'FENCED_LEADER_EPOCH')
  }

  async #compare(): Promise<void> {
    await compareVisible(this.#log, this.#model)
    await compareProducers(this.#log, this.#model)
  }

  /** Notes what a power failure may come back to from now on. */
  #settled(isFlushed: boolean): void {
    if (!this.#machine.crashes.includes('powerFail')) return
    if (isFlushed) this.#flushed = []
    this.#flushed.push(this.#model.clone())
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append':
        await this.#append(step.batches)
        return
      case 'read': {
        const { start, end } = this.#model
        const from = Math.round(start - 1 + (end - start + 2) * (step.percent / 100))
        const isolation = step.committed ? 'read_committed' : 'read_uncommitted'
        return compareRead(this.#log, this.#model, from, step.maxBytes, isolation)
      }
      case 'change':
        await this.#change(step.change)
        return
      case 'tick':
        this.#clock.time += step.ms
        return
      case 'reopen':
        await this.#log.close()
        await this.#storage.close()
        if (step.newEpoch) this.#model.leaderEpoch++
        await this.#open()
        assert.equal(this.#log.recovery.validatedBytes, 0)
        await this.#assertFenced()
        this.#settled(false)
        return
      case 'crash':
        return this.#crash(step)
    }
  }

  /** What a producer, a coordinator or the broker sends in this state. */
  async #sent(batch: Appended, model: NaivePartitionLog): Promise<Sent> {
    if (batch.kind === 'end') {
      const { type, producer: producerId } = batch
      const client = this.#clientOf(producerId)
      if (batch.bumps) client.epoch++
      if (batch.isNewCoordinator) client.coordinatorEpoch++
      const { epoch: producerEpoch, coordinatorEpoch } = client
      const marker = { type, producerId, producerEpoch, coordinatorEpoch, timestamp: this.#clock.time }
      return { bytes: encodeControlBatch(marker), origin: 'coordinator', coordinatorEpoch }
    }
    const builder = new BatchBuilder()
    for (const { key, value, age } of batch.records) {
      const timestamp = age < 0 ? -1 : this.#clock.time - age
      builder.append(timestamp, bytesOf(batch.kind === 'plain' ? key : (key ?? 'none')), bytesOf(value))
    }
    // Records without a key are the broker's own here: a client's need one where compaction goes on.
    if (batch.kind === 'plain') {
      return {
        bytes: await builder.buildCompressed(batch.codec),
        origin: 'coordinator',
        coordinatorEpoch: -1,
      }
    }
    const { producer: producerId, isTransactional, bumps, codec } = batch
    const client = this.#clientOf(producerId)
    const known = model.known.get(producerId)
    const isOpen = model.open.has(producerId)
    if (bumps && !isOpen) client.epoch++
    const last = known?.epoch === client.epoch ? known.batches.at(-1) : undefined
    const next = last === undefined ? 0 : sequenceAfter(last.lastSequence, 1)
    const baseSequence = known === undefined && !bumps ? FIRST_SEQUENCE[producerId]! : next
    const bytes = await builder.buildCompressed(codec, {
      producerId,
      producerEpoch: client.epoch,
      baseSequence,
      isTransactional: isTransactional || isOpen,
    })
    return { bytes, origin: 'client', coordinatorEpoch: -1 }
  }

  #clientOf(producer: number): { epoch: number; coordinatorEpoch: number } {
    const client = this.#clients.get(producer) ?? { epoch: 0, coordinatorEpoch: 0 }
    this.#clients.set(producer, client)
    return client
  }

  async #appendTo(model: NaivePartitionLog, { bytes, coordinatorEpoch }: Sent): Promise<number> {
    const answer = model.answer(bytes, coordinatorEpoch)
    assert.equal(answer.kind, 'new')
    return (await model.take(bytes, this.#clock.time, coordinatorEpoch)).base
  }

  /** Appends all of them at once. */
  async #append(batches: readonly Appended[]): Promise<void> {
    const expected: number[] = []
    const sent: Sent[] = []
    for (const batch of batches) {
      const one = await this.#sent(batch, this.#model)
      sent.push(one)
      expected.push(await this.#appendTo(this.#model, one))
      this.#settled(false)
    }
    const results = await Promise.all(
      sent.map(({ bytes, origin }) => this.#log.append(bytes.slice(), { origin })),
    )
    assert.deepEqual(
      results.map(({ baseOffset, duplicate }) => [baseOffset, duplicate]),
      expected.map((base) => [base, false]),
    )
    if (this.#config.durability === 'fsync') this.#settled(true)
  }

  /** Changes the model; what does the same to the log, and tells whether that is what came of it. */
  async #changeModel(change: Change): Promise<(log: PartitionLog) => Promise<void>> {
    const model = this.#model
    const now = this.#clock.time
    const length = model.end - model.start
    switch (change.kind) {
      case 'truncate': {
        const offset = model.start + Math.round(length * (change.percent / 100))
        if (!model.canTruncate(offset)) return () => Promise.resolve()
        model.truncateTo(offset)
        return (log) => log.truncateTo(offset)
      }
      case 'delete': {
        const offset = model.start + Math.round(length * (change.percent / 100))
        model.deleteBefore(offset)
        return async (log) => assert.equal(await log.deleteRecordsBefore(offset), offset)
      }
      case 'retain': {
        const perhaps = model.expire(now, EXPIRATION_MS)
        const before = model.sizeBytes
        model.retain(now, change.ms, change.bytes)
        const dropped = before - model.sizeBytes
        return async (log) => {
          const limits = { retentionMs: change.ms, retentionBytes: change.bytes }
          log.updateConfig({ ...this.#config, ...limits })
          assert.equal(await log.applyRetention(now), dropped)
          log.updateConfig(this.#config)
          // Which of those went that may have, nobody but the log can tell.
          if (perhaps.length > 0) await this.#askWhoIsKnown()
        }
      }
      case 'compact': {
        const { batches, segment, lastStableOffset } = model
        const limit = Math.min(segment.base, lastStableOffset)
        const end = model.sectionEnd(limit)
        const { maxKeys, bufferBytes } = change
        if (end === undefined) {
          return async (log) => assert.equal(await log.dirtySection(now), undefined)
        }
        const table = model.table(lastStableOffset)
        const untouched = batches.filter(({ last }) => last >= limit)
        model.compactBelow(limit, { now, maxKeys, deleteRetentionMs: DELETE_RETENTION_MS })
        assert.deepEqual(model.table(lastStableOffset), table, 'C7, of the model')
        assert.deepEqual(
          model.batches.filter(({ last }) => last >= limit),
          untouched,
          'C3, of the model',
        )
        const { cleanedTo } = model
        return async (log) => {
          const section = await log.dirtySection(now)
          assert.equal(section?.toOffset, end + 1)
          const result = await log.compact(section, now, {
            maxBytes: (maxKeys + 1) * PLACE_BYTES,
            loadFactor: 1,
            bufferBytes,
            random: systemRandom,
            pace: new Pace(this.#clock),
          })
          assert.equal(result.cleanedTo, cleanedTo)
        }
      }
      case 'checkpoint':
        return (log) => log.checkpoint()
    }
  }

  async #change(change: Change): Promise<void> {
    const before = this.#model.clone()
    const doTo = await this.#changeModel(change)
    await doTo(this.#log)
    if (change.kind === 'compact') this.#flushed.push(...this.#halfway(before))
    await this.#adopt()
    this.#settled(false)
  }

  /** After a truncation, takes over what the log makes of its producers. */
  async #adopt(): Promise<void> {
    if (this.#model.remembered !== undefined) this.#model.adopt(await this.#producers())
  }

  /** What the log knows of its producers, as it would write it down. */
  async #producers(): Promise<readonly ProducerEntry[]> {
    await this.#log.checkpoint()
    const blob = await (await this.#storage.partition(ID)).readBlob(CHECKPOINT_BLOB)
    // Without one nothing was ever appended.
    return blob === undefined ? [] : decodeCheckpoint(blob)!.producers
  }

  /** Of those that were idle the log may have forgotten some: which, only it can tell. */
  async #askWhoIsKnown(): Promise<void> {
    const producers = await this.#producers()
    this.#model.recall(new Set(producers.map(({ producerId }) => producerId)))
  }

  async #crash({ how, after, during }: Step & { kind: 'crash' }): Promise<void> {
    const machine = this.#machine
    const crash = machine.crashes[how % machine.crashes.length]!
    if (machine.crashesAnytime) {
      const isFlushing = this.#config.durability === 'fsync'
      await ('append' in during
        ? this.#crashAppending(crash, after, during.append, isFlushing)
        : this.#crashChanging(crash, after, during.change))
    } else {
      await machine.crash(crash, this.#storage)
      await this.#open()
    }
    await this.#adopt()
    if (this.#model.expired.size > 0) await this.#askWhoIsKnown()
    for (const producer of this.#model.known.values()) producer.idleSinceAtMost = this.#clock.time
    this.#settled(crash === 'powerFail')
  }

  /** Ends while these are on their way: a prefix of them is there afterwards, of at least what was acknowledged (L4). */
  async #crashAppending(
    crash: Crash,
    after: number,
    batches: readonly Appended[],
    isFlushing: boolean,
  ): Promise<void> {
    const before = this.#model.clone()
    const possible = [this.#model.clone()]
    let acknowledged = 0
    if (crash === 'fail') this.#machine.failAfter(after)
    const running: Promise<void>[] = []
    const sent: Sent[] = []
    for (const batch of batches) {
      const one = await this.#sent(batch, this.#model)
      sent.push(one)
      await this.#appendTo(this.#model, one)
      possible.push(this.#model.clone())
    }
    for (const [place, { bytes, origin }] of sent.entries()) {
      running.push(
        this.#log.append(bytes.slice(), { origin }).then(
          () => {
            acknowledged = Math.max(acknowledged, place + 1)
          },
          () => undefined,
        ),
      )
    }
    if (crash === 'fail') {
      await Promise.all(running)
      await this.#assertFailed()
    } else for (let turns = after * 5; turns > 0; turns--) await Promise.resolve()
    const certain = acknowledged
    await this.#machine.crash(crash, this.#storage)
    await Promise.all(running)
    const isPowerFailure = crash === 'powerFail'
    const least = isPowerFailure && !isFlushing ? 0 : certain
    const older = isPowerFailure && least === 0 ? this.#flushed : [before]
    await this.#openOneOf([...possible.slice(least), ...(least === 0 ? older : [])], this.#model)
  }

  /** Ends while the log is cut, compacted or checkpointed: the old or the new is there afterwards (L7, R1, C8). */
  async #crashChanging(crash: Crash, after: number, change: Change): Promise<void> {
    const before = this.#model.clone()
    const doTo = await this.#changeModel(change)
    const outcome = { isDone: false }
    if (crash === 'fail') this.#machine.failAfter(after)
    const running = doTo(this.#log).then(
      () => {
        outcome.isDone = true
      },
      (error: unknown) => {
        if (error instanceof assert.AssertionError) throw error
      },
    )
    if (crash === 'fail') await running
    else for (let turns = after * 5; turns > 0; turns--) await Promise.resolve()
    const isKept = outcome.isDone && crash !== 'powerFail'
    await this.#machine.crash(crash, this.#storage)
    await running
    const halfway = this.#halfway(before)
    this.#flushed.push(...halfway.map((one) => one.clone()))
    const possible = isKept ? [] : [...halfway, before]
    if (crash === 'powerFail') possible.push(...this.#flushed)
    await this.#openOneOf([this.#model, ...possible], this.#model)
  }

  /** What compaction may leave that replaced a part of what it was to. */
  #halfway(before: NaivePartitionLog): NaivePartitionLog[] {
    const after = this.#model
    if (!this.#machine.crashesAnytime) return []
    if (after.cleanedTo === before.cleanedTo && after.batches.length === before.batches.length) return []
    return before.batches.map(({ last }) => {
      const half = before.clone()
      const transactionAt = new Map(half.history.map(({ base, transaction }) => [base, transaction]))
      half.batches = [
        ...after.batches
          .filter((batch) => batch.last <= last)
          .map((batch) => ({ ...batch, transaction: transactionAt.get(batch.base) })),
        ...half.batches.filter((batch) => batch.last > last),
      ]
      half.voided = new Set(after.voided)
      return half
    })
  }

  /** After an error of the storage nothing is acknowledged (L8). */
  async #assertFailed(): Promise<void> {
    if (this.#log.failure === undefined) return
    const builder = new BatchBuilder()
    builder.append(1, bytesOf('after'), bytesOf('the end'))
    assert.equal(await refusal(this.#log.append(builder.build())), 'STORAGE_FAILED')
    assert.equal(await refusal(this.#log.read(this.#log.startOffset, 1)), 'STORAGE_FAILED')
  }

  /** Opens what the crash left: one of these, and that as a whole. */
  async #openOneOf(possible: readonly NaivePartitionLog[], wanted: NaivePartitionLog): Promise<void> {
    const leaderEpoch = wanted.leaderEpoch
    await this.#open()
    let failure: unknown
    for (const candidate of possible) {
      try {
        candidate.leaderEpoch = leaderEpoch
        await compareVisible(this.#log, candidate)
        this.#model = candidate
        return
      } catch (error) {
        if (!(error instanceof assert.AssertionError)) throw error
        failure ??= error
      }
    }
    throw failure
  }
}
