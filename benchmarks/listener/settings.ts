/** What the clients of `listener` do, and how much of it. */

/** What was chosen. */
export interface ListenerSettings extends Record<string, number> {
  /** How many records each client writes, and reads. */
  readonly records: number
  readonly valueBytes: number
  readonly partitions: number
  readonly recordsPerSend: number
  /** Sends that may be unanswered at a time, of the clients that are told. */
  readonly sendsInFlight: number
  /** How many times a record is sent alone and waited for. */
  readonly latencyRecords: number
}

/** A broker that stands ready, in a process of its own. */
export interface RunningBroker {
  readonly host: string
  readonly port: number
  /** From the start of its process until it answered a first request. */
  readonly startMs: number
  /** The most that it had resident so far, in MB. */
  rssMb(): number
  stop(): Promise<void>
}
