/** The logger that an application hands in: what is told to it, and how it is kept from doing harm. */

/**
 * Where log lines go: pino's shape, so that a pino logger fits as it is, and so does `console`. Errors are under the key
 * `err`. Keys and values of records, handlers' errors and credentials are never in a line.
 */
export interface Logger {
  /** What helps to find out why: requests that are tried again, with the reason; what retention and compaction did. */
  readonly debug: (object: object, message?: string) => void
  /** What happens in normal life: opening and closing, topics, rebalances. */
  readonly info: (object: object, message?: string) => void
  /** What somebody should look at some time: refused clients, transactions that timed out, a full disk budget. */
  readonly warn: (object: object, message?: string) => void
  /** What somebody should look at now: a partition that is off line, a storage that failed. */
  readonly error: (object: object, message?: string) => void
}

const nothing = (): void => undefined

/** Says nothing. */
export const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** `logger`, but what it throws is rethrown on its own microtask, where the process reports it as uncaught. */
export const harmless = (logger: Logger): Logger => {
  const method =
    (level: keyof Logger) =>
    (object: object, message?: string): void => {
      try {
        logger[level](object, message)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}
