/** What every client works with. One for all clients of an Ottla, so that they share metadata, channels and timers. */
import type { Network } from '../protocol/channel.js'
import type { Clock } from '../runtime/clock.js'
import type { Logger } from '../runtime/logger.js'
import type { Random } from '../runtime/random.js'
import type { Timers } from '../runtime/timers.js'
import type { ClientIds } from './client-ids.js'
import type { Cluster } from './cluster.js'
import type { Tracing } from './tracing/tracing.js'

/** The seams and the shared state of the clients. */
export interface ClientContext {
  readonly network: Network
  readonly cluster: Cluster
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** Where log lines go. */
  readonly logger: Logger
  /** Where spans go; left out where nobody traces. */
  readonly tracing?: Tracing | undefined
  /** What clients are called. */
  readonly clientIds: ClientIds
}
