/** What clients are called in metrics and log lines: each by a name of its own, as in Kafka. */

/** Gives names out: the application's, what the client is, and a number. */
export class ClientIds {
  readonly #application: string
  #last = 0

  constructor(application: string) {
    this.#application = application
  }

  /** A name that no other client has, e.g. `ottla-producer-1` or `ottla-consumer-billing-2`. */
  next(kind: string): string {
    return `${this.#application}-${kind}-${++this.#last}`
  }
}
