/** Trying again: exponential backoff with jitter, as KIP-580 has it, for errors that say they are worth it. */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Logger } from '../runtime/logger.js'
import type { Random } from '../runtime/random.js'
import type { Timers } from '../runtime/timers.js'

/** How long to wait between attempts. */
export interface Backoff {
  /** The first wait, in milliseconds. */
  readonly retryBackoffMs: number
  /** The longest wait, in milliseconds. */
  readonly retryBackoffMaxMs: number
}

/** Kafka's defaults. */
export const DEFAULT_BACKOFF: Backoff = { retryBackoffMs: 100, retryBackoffMaxMs: 1000 }

const JITTER = 0.2

/** The wait before attempt `attempt + 1`, in milliseconds; the first attempt is number 0. */
export const backoffMs = (
  { retryBackoffMs, retryBackoffMaxMs }: Backoff,
  attempt: number,
  random: Random,
): number =>
  Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** attempt) * (1 - JITTER + 2 * JITTER * random.next())

/** What retrying needs. */
export interface RetryOptions {
  readonly timers: Timers
  readonly random: Random
  readonly signal?: AbortSignal | undefined
  readonly backoff?: Backoff
  /** Is told why it is tried again. */
  readonly logger?: Logger
  /** How often to try in all; default 10. */
  readonly attempts?: number
}

const DEFAULT_ATTEMPTS = 10

/** How often a request may meet a storage error before it counts as lasting. */
const MAX_STORAGE_ERRORS = 3

/**
 * Whether a storage error has come so often that it will not pass. Kafka counts it as retriable, since another replica
 * may take the partition over; where none does, whoever waits has to hear of it.
 */
export const isStorageDown = (error: unknown, failedAttempts: number): boolean =>
  OttlaError.is(error, 'KAFKA_STORAGE_ERROR') && failedAttempts >= MAX_STORAGE_ERRORS

/**
 * Whether trying again may help. A topic that is not there is an answer, though Kafka counts the error as one that
 * passes: a name may be mistyped, and whoever mistyped it should hear so at once. Of several items it is enough that
 * one may pass.
 */
export const mayPass = (error: unknown): boolean => {
  if (OttlaError.is(error, 'ITEMS_FAILED')) return [...error.details.failed.values()].some(mayPass)
  return OttlaError.is(error) && error.retriable && error.code !== 'UNKNOWN_TOPIC_OR_PARTITION'
}

/** Runs `action` until it succeeds, fails for good, or was tried often enough; then its last error is thrown. */
export const withRetries = async <T>(
  action: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> => {
  const { timers, random, signal, backoff = DEFAULT_BACKOFF, attempts = DEFAULT_ATTEMPTS, logger } = options
  for (let attempt = 0; ; attempt++) {
    try {
      return await action(attempt)
    } catch (error) {
      if (!mayPass(error) || isStorageDown(error, attempt + 1) || attempt + 1 >= attempts) throw error
      logger?.debug({ attempt, err: error }, 'a request is tried again')
      await timers.sleep(backoffMs(backoff, attempt, random), signal)
    }
  }
}
