/** A listener: accepts Kafka clients on a socket, and puts their requests to the broker that the process has. */
import type { AuthorizerSettings } from '../../broker/authorizer/access.js'
import type { Broker } from '../../broker/broker.js'
import type { Clock, ScheduledTimer } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { Events, type EventSource } from '../../runtime/events.js'
import { Resource } from '../../runtime/lifecycle.js'
import { SILENT, type Logger } from '../../runtime/logger.js'
import type { Random } from '../../runtime/random.js'
import type { Connection, ConnectionHandler, SocketServer, Sockets } from '../../runtime/sockets.js'
import { Timers } from '../../runtime/timers.js'
import { ListenerConnection, type ConnectionHost } from './connection.js'
import {
  checkListenerOptions,
  type CheckedListenerOptions,
  type ListenerOptions,
} from './listener-options.js'
import { RequestMemory } from './request-memory.js'
import { RequestQuotas } from './request-quotas.js'
import { Sasl } from './sasl/sasl.js'

/** A client that was turned away. */
export interface ClientRefusedEvent {
  /** Where it came from; empty for a Unix socket. */
  readonly remoteAddress: string
  /** What was wrong. */
  readonly error: OttlaError
}

/** What a listener tells of its clients. */
export type ListenerEvents = Readonly<{
  /** A connection was closed because of what came over it, wrong credentials among that, or was refused because there are too many. */
  clientRefused: [event: ClientRefusedEvent]
}>

/** Where clients connect to. */
export interface ListenerAddress {
  /** A host name or address. */
  readonly host: string
  /** The port there. */
  readonly port: number
}

/** How to open a listener. */
export interface ListenerParts {
  readonly broker: Broker
  readonly sockets: Sockets
  readonly clock: Clock
  readonly random: Random
  /** Where log lines go; default nowhere. */
  readonly logger?: Logger
  /** Closes it with itself. */
  readonly owner?: Resource
}

const noop: ConnectionHandler = { data: () => undefined, drained: () => undefined, closed: () => undefined }

/** An open listener. */
export class Listener extends Resource {
  /** The address that it is bound to; the path of a Unix socket. */
  readonly host: string
  /** The port that it is bound to; 0 for a Unix socket. */
  readonly port: number
  /** What clients are told to connect to. */
  readonly advertised: ListenerAddress
  /** What happens to its clients. */
  readonly events: EventSource<ListenerEvents>
  readonly #server: SocketServer
  readonly #connections: Connections
  readonly #logger: Logger

  private constructor(
    options: CheckedListenerOptions,
    server: SocketServer,
    connections: Connections,
    { owner, logger = SILENT }: ListenerParts,
  ) {
    super(`listener ${options.name}`, owner)
    this.host = options.path ?? options.host
    this.port = server.port
    this.advertised = connections.advertised
    this.events = connections.events
    this.#server = server
    this.#connections = connections
    this.#logger = logger
    this.events.on('clientRefused', ({ remoteAddress, error: err }) =>
      logger.warn({ remoteAddress, err }, 'client refused'),
    )
    logger.info({ host: this.host, port: this.port }, 'listener opened')
  }

  /**
   * Begins to listen.
   * @throws OttlaError UNKNOWN_OPTION and INVALID_ARGUMENT for options; NETWORK_EXCEPTION when the address cannot be
   * listened on.
   */
  static async open(given: ListenerOptions | undefined, parts: ListenerParts): Promise<Listener> {
    const options = checkListenerOptions(given)
    const connections = new Connections(options, parts)
    const where = options.path ?? `${options.host}:${options.port}`
    let server: SocketServer
    try {
      server = await parts.sockets.listen(options, (connection) => connections.accept(connection))
    } catch (cause) {
      throw new OttlaError(
        'NETWORK_EXCEPTION',
        `Cannot listen on ${where} (${cause instanceof Error ? cause.message : String(cause)}); expected an address of this machine that nobody listens on.`,
        { cause, details: { host: options.host, port: options.port, path: options.path } },
      )
    }
    connections.advertised = {
      host: options.advertisedHost ?? options.path ?? options.host,
      port: options.advertisedPort ?? server.port,
    }
    return new Listener(options, server, connections, parts)
  }

  /** How many clients are connected. */
  get connectionCount(): number {
    return this.#connections.count
  }

  protected override async onClose(): Promise<void> {
    const closed = this.#server.close()
    this.#connections.close()
    await closed
    this.#logger.info({ host: this.host, port: this.port }, 'listener closed')
  }
}

/** The connections of a listener, and what all of them together may hold. */
class Connections implements ConnectionHost {
  advertised = { host: '', port: 0 }
  readonly maxRequestBytes: number
  readonly sasl: Sasl | undefined
  readonly authorizer: AuthorizerSettings | undefined
  readonly events = new Events<ListenerEvents>()
  readonly requestMemory: RequestMemory
  readonly quotas: RequestQuotas
  readonly #options: CheckedListenerOptions
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #open = new Set<ListenerConnection>()
  #isSweeping = false
  #isClosed = false

  constructor(options: CheckedListenerOptions, { broker, clock, random }: ListenerParts) {
    this.sasl = options.sasl === undefined ? undefined : new Sasl(options.sasl, { broker, clock, random })
    this.authorizer = options.authorizer
    this.quotas = new RequestQuotas(broker.quotas)
    this.#options = options
    this.#broker = broker
    this.#clock = clock
    this.#timers = new Timers(clock)
    this.maxRequestBytes = options.socketRequestMaxBytes
    this.requestMemory = new RequestMemory(options.queuedMaxRequestBytes, this.#timers)
  }

  get count(): number {
    return this.#open.size
  }

  accept(connection: Connection): ConnectionHandler {
    if (this.#isClosed || this.#open.size >= this.#options.maxConnections) {
      const { remoteAddress } = connection
      connection.destroy()
      const error = new OttlaError(
        'NETWORK_EXCEPTION',
        `There are ${this.#open.size} connections, the most that maxConnections allows; one from ${remoteAddress} was closed.`,
      )
      this.events.emit('clientRefused', { remoteAddress, error })
      return noop
    }
    const handler = new ListenerConnection(connection, this)
    this.#open.add(handler)
    this.#sweepLater()
    return handler
  }

  close(): void {
    this.#isClosed = true
    this.#timers.clear()
    for (const connection of [...this.#open]) connection.close()
  }

  now(): number {
    return this.#clock.monotonic()
  }

  later(delayMs: number, callback: () => void): ScheduledTimer {
    return this.#timers.schedule(delayMs, callback)
  }

  handle: ConnectionHost['handle'] = (api, body, context) => this.#broker.handle(api, body, context)

  refused({ remoteAddress }: ListenerConnection, cause: unknown): void {
    const error = OttlaError.is(cause)
      ? cause
      : new OttlaError('UNKNOWN_SERVER_ERROR', `A request could not be handled (${String(cause)}).`, {
          cause,
        })
    this.events.emit('clientRefused', { remoteAddress, error })
  }

  gone(connection: ListenerConnection): void {
    this.#open.delete(connection)
  }

  /** One timer for all of them, and none when nobody is there. */
  #sweepLater(): void {
    if (this.#isSweeping) return
    this.#isSweeping = true
    this.#timers.schedule(this.#options.connectionsMaxIdleMs / 2, () => {
      this.#isSweeping = false
      const idleSince = this.now() - this.#options.connectionsMaxIdleMs
      for (const connection of [...this.#open]) connection.closeIfIdle(idleSince)
      if (this.#open.size > 0) this.#sweepLater()
    })
  }
}
