/**
 * The state of a transactional producer: which transaction it is in, under which identity, and what became of it. The
 * states are those of Kafka's TransactionManager.
 */
import { abortable } from '../../runtime/abort.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ConsumerGroupMetadata } from '../group/consumer-group-metadata.js'
import type { OffsetToCommit } from '../group/group-offsets.js'
import { partitionName } from '../message.js'
import type { Identities, ProducerIdentity } from './producer-identity.js'
import type { TransactionCoordinator } from './transaction-coordinator.js'
import { asFenced, invalidState, isFatalForSend, isFatalFromCoordinator } from './transaction-errors.js'

/** Where a transactional producer stands. */
export type TransactionState =
  | 'UNINITIALIZED'
  | 'INITIALIZING'
  | 'READY'
  | 'IN_TRANSACTION'
  | 'COMMITTING'
  | 'ABORTING'
  | 'ABORTABLE_ERROR'
  | 'FATAL_ERROR'

/** What the manager has the producer do. */
export interface TransactionHost {
  /** Sends what is gathered, and resolves when all of it has its outcome. */
  flush(): Promise<void>
  /** Fails what is not yet on its way. */
  drop(error: OttlaError): void
}

/** One transactional id, one transaction after another. */
export class TransactionManager implements Identities {
  readonly #coordinator: TransactionCoordinator
  readonly #host: TransactionHost
  readonly #closeSignal: AbortSignal
  /** The partitions that are in the transaction. */
  readonly #partitions = new Set<string>()
  /** The groups that are in the transaction. */
  readonly #groups = new Set<string>()
  #state: TransactionState = 'UNINITIALIZED'
  #identity: ProducerIdentity | undefined
  #isImplicit = false
  #error: unknown
  /** Whether the coordinator may know of the transaction, so that it has to be ended there. */
  #isStarted = false
  /** Whether the sequences of this epoch have, or may have, a hole. */
  #needsEpoch = false
  /** The commit or abort that is being carried out; one whose time was up is carried on by calling it again. */
  #ending: Promise<void> | undefined
  /** Commits of offsets that are under way. */
  readonly #offsetCommits = new Set<Promise<void>>()

  constructor(coordinator: TransactionCoordinator, host: TransactionHost, closeSignal: AbortSignal) {
    this.#coordinator = coordinator
    this.#host = host
    this.#closeSignal = closeSignal
  }

  /** Where it stands. */
  get state(): TransactionState {
    return this.#state
  }

  get current(): ProducerIdentity | undefined {
    return this.#identity
  }

  /** Whether partitions join a transaction by being written to. */
  get isImplicit(): boolean {
    return this.#isImplicit
  }

  get transactionalId(): string {
    return this.#coordinator.transactionalId
  }

  /** Why nothing is sent, or sent again; undefined while all is well. */
  get refusal(): OttlaError | undefined {
    return this.#state === 'IN_TRANSACTION' || this.#state === 'COMMITTING' ? undefined : this.#reason()
  }

  /** Whether there is a transaction that has yet to be ended. */
  get isOpen(): boolean {
    return this.#state === 'IN_TRANSACTION' || this.#state === 'ABORTABLE_ERROR'
  }

  /** Whether there is a transaction that can be aborted. */
  get mayAbort(): boolean {
    return this.isOpen || this.#state === 'ABORTING'
  }

  next(): Promise<ProducerIdentity> {
    return Promise.reject(invalidState('The transactional producer has no identity.'))
  }

  discard(): void {
    this.#needsEpoch = true
  }

  /** @throws OttlaError INVALID_TXN_STATE outside a transaction; what made an error of the one that is open. */
  assertInTransaction(): void {
    if (this.#state !== 'IN_TRANSACTION') throw this.#reason()
  }

  async begin(signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === 'UNINITIALIZED') await this.#initialize(signal)
    if (this.#state !== 'READY') {
      if (this.#state === 'FATAL_ERROR') throw this.#reason()
      throw invalidState(
        `A transaction of ${this.transactionalId} cannot begin in state ${this.#state}: a producer has one at a time. Commit or abort the one that is open first.`,
        this.#error,
      )
    }
    this.#state = 'IN_TRANSACTION'
  }

  async commit(signal: AbortSignal | undefined): Promise<void> {
    if (this.#ending !== undefined || (this.#state !== 'IN_TRANSACTION' && this.#state !== 'COMMITTING'))
      throw this.#reason()
    this.#state = 'COMMITTING'
    await this.#end(true, signal)
  }

  async abort(signal: AbortSignal | undefined): Promise<void> {
    if (this.#ending !== undefined || !this.mayAbort) throw this.#reason()
    this.#state = 'ABORTING'
    this.#host.drop(
      new OttlaError(
        'TRANSACTION_ABORTED',
        'The transaction was aborted before the record was sent.',
        this.#error === undefined ? {} : { cause: this.#error },
      ),
    )
    await this.#end(false, signal)
  }

  /** The offsets of the group count if the transaction is committed. */
  commitOffsets(
    group: ConsumerGroupMetadata,
    offsets: readonly OffsetToCommit[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.assertInTransaction()
    if (offsets.length === 0) return Promise.resolve()
    const done = this.#commitOffsets(group, offsets, signal).finally(() => this.#offsetCommits.delete(done))
    // Whoever does not wait for it hears of it when the transaction cannot be committed.
    done.catch(() => undefined)
    this.#offsetCommits.add(done)
    return done
  }

  /** Ends what is open: the commit or abort under way, or the transaction, which is aborted. */
  async close(): Promise<void> {
    await this.#ending?.catch(() => undefined)
    if (this.isOpen) await this.abort(undefined)
  }

  async #commitOffsets(
    group: ConsumerGroupMetadata,
    offsets: readonly OffsetToCommit[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const identity = this.#known()
    this.#isStarted = true
    try {
      if (!this.#isImplicit && !this.#groups.has(group.groupId)) {
        await this.#coordinator.addOffsets(identity, group.groupId, signal)
        this.#groups.add(group.groupId)
      }
      await this.#coordinator.commitOffsets(identity, group, offsets, this.#isImplicit, signal)
    } catch (error) {
      throw this.#failed(error, isFatalFromCoordinator)
    }
  }

  /** The partition is written to: undefined when it is in the transaction, else when that is known. */
  enlist(topic: string, partition: number): Promise<void> | undefined {
    const name = partitionName({ topic, partition })
    if (this.#partitions.has(name)) return undefined
    this.#isStarted = true
    if (this.#isImplicit) {
      this.#partitions.add(name)
      return undefined
    }
    return this.#coordinator.addPartition(this.#known(), { topic, partition }, this.#closeSignal).then(
      () => void this.#partitions.add(name),
      (error: unknown) => {
        throw this.#failed(error, isFatalFromCoordinator)
      },
    )
  }

  /** A record of the transaction is not stored, so the others must not count either. */
  sendFailed(error: unknown): void {
    this.#failed(error, isFatalForSend)
  }

  async #initialize(signal: AbortSignal | undefined): Promise<void> {
    this.#state = 'INITIALIZING'
    try {
      this.#isImplicit = await this.#coordinator.isImplicit(signal)
      this.#identity = await this.#coordinator.init(undefined, signal)
      this.#state = 'READY'
    } catch (error) {
      this.#state = 'UNINITIALIZED'
      throw this.#fatal(error)
    }
  }

  /** Ends the transaction once nothing of it is under way. */
  async #end(committed: boolean, signal: AbortSignal | undefined): Promise<void> {
    this.#ending = this.#endOnce(committed, signal)
    try {
      await this.#ending
    } finally {
      this.#ending = undefined
    }
  }

  async #endOnce(committed: boolean, signal: AbortSignal | undefined): Promise<void> {
    try {
      await abortable(Promise.all([this.#host.flush(), Promise.allSettled(this.#offsetCommits)]), signal)
    } catch (error) {
      // The coordinator was not asked for anything yet: all that was is still open.
      if (this.#state === 'COMMITTING') this.#state = 'IN_TRANSACTION'
      throw error
    }
    // Something failed on the way: that is for the application to abort.
    if (committed && this.#state !== 'COMMITTING') throw this.#reason()
    await this.#finish(committed, signal)
    this.#partitions.clear()
    this.#groups.clear()
    this.#isStarted = false
    this.#error = undefined
    this.#state = 'READY'
  }

  async #finish(committed: boolean, signal: AbortSignal | undefined): Promise<void> {
    const before = this.#known()
    // A coordinator that has forgotten the identity has nothing to end under it.
    const isForgotten = OttlaError.is(this.#error, 'INVALID_PRODUCER_ID_MAPPING')
    try {
      if (this.#isStarted && !isForgotten) {
        this.#identity = await this.#coordinator.end(before, committed, this.#isImplicit, signal)
        this.#isStarted = false
      }
    } catch (error) {
      // Whether it took effect is open where the answer is missing: it is asked again, not undone.
      const isOpen = !OttlaError.is(error) || error.retriable
      throw committed && !isOpen ? this.#failed(error, isFatalFromCoordinator) : this.#fatal(error)
    }
    if (this.#needsEpoch && (this.#identity === before || isForgotten)) {
      try {
        this.#identity = await this.#coordinator.init(before, signal)
      } catch (error) {
        throw this.#fatal(error)
      }
    }
    this.#needsEpoch = false
  }

  /** Takes note of `error`, which is returned as the application should see it. */
  #failed(error: unknown, isFatal: (error: unknown) => boolean): unknown {
    // A leader says it of a batch that came late; only the coordinator knows who is fenced.
    const known = isFatal === isFatalForSend ? error : asFenced(error, this.transactionalId)
    const { state } = this
    if (state !== 'IN_TRANSACTION' && state !== 'COMMITTING') return known
    this.#state = isFatal(error) ? 'FATAL_ERROR' : 'ABORTABLE_ERROR'
    this.#error = known
    return known
  }

  /** As {@link #failed}, where there is nothing that could be aborted. */
  #fatal(error: unknown): unknown {
    const known = asFenced(error, this.transactionalId)
    if (!OttlaError.is(known) || known.retriable || known.code === 'RESOURCE_CLOSED') return known
    this.#state = 'FATAL_ERROR'
    this.#error = known
    return known
  }

  #known(): ProducerIdentity {
    if (this.#identity === undefined) throw this.#reason()
    return this.#identity
  }

  #reason(): OttlaError {
    const id = this.transactionalId
    const error = this.#error
    if (this.#state === 'FATAL_ERROR' && OttlaError.is(error)) {
      return new OttlaError(error.code, `The producer of ${id} cannot go on; close it. ${error.message}`, {
        cause: error,
        details: error.details,
      })
    }
    if (this.#state === 'ABORTABLE_ERROR') {
      return new OttlaError(
        'TRANSACTION_ABORTABLE',
        `The transaction of ${id} has failed and can only be aborted.`,
        { cause: error, details: { transactionalId: id } },
      )
    }
    if (this.#state === 'ABORTING')
      return new OttlaError('TRANSACTION_ABORTED', `The transaction of ${id} is being aborted.`, {
        cause: error,
      })
    return invalidState(
      this.#state === 'COMMITTING'
        ? `The transaction of ${id} is being committed; wait for that, or call commit() again if it failed.`
        : `The producer of ${id} is in no transaction; begin one first.`,
    )
  }
}
