/**
 * One client's connection. Requests begin in the order in which they came, may go on side by side, and are answered in
 * that order. Whoever sends faster than it is answered, or does not read its answers, is not read from any more.
 */
import { ANONYMOUS, type AuthorizerSettings } from '../../broker/authorizer/access.js'
import { IN_PROCESS_HOST, type RequestContext } from '../../broker/request-context.js'
import type { RequestHeader } from '../../protocol/frame.js'
import type { Api, Fields, Message } from '../../protocol/schema.js'
import type { ScheduledTimer } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Connection, ConnectionHandler } from '../../runtime/sockets.js'
import { Answers, type Slot } from './answers.js'
import { FrameReader } from './frame-reader.js'
import { inspectRecords } from './inspect-records.js'
import type { MemoryHolder, RequestMemory } from './request-memory.js'
import type { RequestQuotas } from './request-quotas.js'
import {
  hasProduceError,
  readRequest,
  responseFrame,
  unknownVersionFrame,
  wantsNoAnswer,
  type ListenerRequest,
} from './request.js'
import { SaslAuthenticator } from './sasl/authenticator.js'
import type { Sasl } from './sasl/sasl.js'

/** What a connection works with. */
export interface ConnectionHost {
  /** The largest request, in bytes. */
  readonly maxRequestBytes: number
  /** Where clients of this listener reach the broker. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** How it is decided what clients may do; undefined where they may do everything. */
  readonly authorizer: AuthorizerSettings | undefined
  /** How clients authenticate; undefined where they need not. */
  readonly sasl: Sasl | undefined
  now(): number
  /** Calls `callback` after `delayMs`. */
  later(delayMs: number, callback: () => void): ScheduledTimer
  handle(api: Api, body: Message<Fields>, context: RequestContext): Promise<Message<Fields>>
  /** What requests count for the quotas of their clients. */
  readonly quotas: RequestQuotas
  /** What the requests of its connections take. */
  readonly requestMemory: RequestMemory
  /** What a client did that ended its connection. */
  refused(connection: ListenerConnection, error: unknown): void
  gone(connection: ListenerConnection): void
}

/** A connection of a listener. */
export class ListenerConnection implements ConnectionHandler, MemoryHolder {
  /** When a request last began or ended, on the monotonic clock. */
  lastActiveMs: number
  readonly #connection: Connection
  readonly #host: ConnectionHost
  readonly #reader: FrameReader
  readonly #answers: Answers
  receivedBytes = 0
  readonly #gone = new AbortController()
  /** Requests whose records take time to be looked into; what comes after them waits for its turn. */
  #turn: Promise<void> | undefined
  #isHeldBack = false
  #isPaused = false
  readonly #authenticator: SaslAuthenticator | undefined
  /** A step of the authentication is under way, or it has failed: nothing else begins. */
  #isAuthenticating = false
  /** Set when it was turned away: the answer goes out a little later, and with it the connection. */
  #turnedAway: ScheduledTimer | undefined
  /** Set while the client is to be silent because of its quotas, and until when. */
  #silence: { readonly untilMs: number; readonly timer: ScheduledTimer } | undefined
  /** Until when it is to be known who the client is. */
  readonly #authenticationDeadline: ScheduledTimer | undefined
  /** How much the client had not read when that was last looked at. */
  #bufferedBytes = 0

  constructor(connection: Connection, host: ConnectionHost) {
    this.#connection = connection
    this.#host = host
    this.#answers = new Answers(connection)
    const { sasl } = host
    this.#reader = new FrameReader(
      sasl?.options.saslServerMaxReceiveSize ?? host.maxRequestBytes,
      (moreBytes) => this.#admit(moreBytes),
    )
    this.lastActiveMs = host.now()
    if (sasl === undefined) return
    const { connectionsMaxAuthenticationMs } = sasl.options
    this.#authenticationDeadline = host.later(connectionsMaxAuthenticationMs, () =>
      this.#isTooLate(connectionsMaxAuthenticationMs),
    )
    this.#authenticator = new SaslAuthenticator({
      sasl,
      client: { remoteAddress: connection.remoteAddress, signal: this.#gone.signal },
      versions: ({ api, header, body }) => host.handle(api, body, this.#contextOf(header)),
    })
  }

  /** Where the client is; empty for a Unix socket. */
  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }

  /** Closes it when since `idleSince` no request of it was worked on, and the client has not read of its answers. */
  closeIfIdle(idleSince: number): void {
    const { bufferedBytes } = this.#connection
    if (bufferedBytes < this.#bufferedBytes) this.#touch()
    this.#bufferedBytes = bufferedBytes
    const isBusy = this.#answers.unanswered.length > 0
    if (!isBusy && this.lastActiveMs <= idleSince) this.close()
  }

  data(bytes: Uint8Array): void {
    // What comes from a client that was turned away is of no interest, but its end is.
    if (this.#turnedAway !== undefined) return
    this.receivedBytes += bytes.length
    this.#reader.push(bytes)
    this.#goOn()
  }

  drained(): void {
    this.#touch()
    this.#answers.flush()
    this.#goOn()
  }

  closed(): void {
    if (this.#gone.signal.aborted) return
    this.#gone.abort()
    this.#turnedAway?.cancel()
    this.#authenticationDeadline?.cancel()
    this.#silence?.timer.cancel()
    const { requestMemory } = this.#host
    requestMemory.gone(this)
    for (const { sizeBytes, isWorkedOn } of this.#answers.unanswered) {
      if (!isWorkedOn) requestMemory.release(sizeBytes)
    }
    this.#answers.clear()
    this.#host.gone(this)
  }

  /** The listener has room again for requests that begin. */
  resume(): void {
    this.#isHeldBack = false
    this.#goOn()
  }

  /** Ends it; requests that are under way go on in the broker, but nobody hears of them. */
  close(): void {
    this.#connection.destroy()
    this.closed()
  }

  /** Begins what there is room for; the rest stays where it is, in the end with the client. */
  #goOn(): void {
    try {
      while (!this.#isFull && !this.#gone.signal.aborted) {
        const frame = this.#reader.next()
        if (frame === undefined) break
        this.#begin(frame)
      }
    } catch (error) {
      this.#refuse(error)
    }
    if (this.#isFull === this.#isPaused || this.#gone.signal.aborted) return
    this.#isPaused = this.#isFull
    if (this.#isPaused) this.#connection.pause()
    else this.#connection.resume()
  }

  get #isFull(): boolean {
    return (
      this.#isHeldBack ||
      this.#isAuthenticating ||
      this.#silence !== undefined ||
      this.#answers.areTooMany ||
      this.#answers.areUnread
    )
  }

  /** Whether nobody knows yet who the client is. */
  get #isUnknown(): boolean {
    return this.#authenticator?.hasSession === false
  }

  #admit(moreBytes: number): boolean {
    this.#isHeldBack = !this.#host.requestMemory.take(this, moreBytes)
    return !this.#isHeldBack
  }

  /** Its request does not come in, and others wait for the memory. */
  stalled(error: OttlaError): void {
    // With so many before it, or in its silence, it is not read.
    if (!this.#answers.areTooMany && this.#silence === undefined) this.#refuse(error)
  }

  #begin(frame: Uint8Array): void {
    const isForAuthenticator = this.#authenticator?.takes(frame) === true
    this.#touch()
    const slot = this.#answers.place(frame.length)
    this.#host.requestMemory.whole(this)
    if (isForAuthenticator) {
      this.#authenticate(this.#authenticator, slot, frame)
      return
    }
    const request = readRequest(frame)
    if ('unknownVersionOf' in request) {
      this.#answer(slot, unknownVersionFrame(request.unknownVersionOf))
      return
    }
    const inspected = inspectRecords(request.api, request.body)
    slot.busyMs = this.#host.now() - this.lastActiveMs
    if (this.#turn === undefined && !(inspected instanceof Promise)) {
      this.#handle(slot, request, inspected)
      return
    }
    slot.isWorkedOn = true
    const turn = (this.#turn ?? Promise.resolve())
      .then(() => inspected)
      .then((recordErrors) => this.#handle(slot, request, recordErrors))
      .catch((error: unknown) => {
        this.#done(slot)
        this.#refuse(error)
      })
      .finally(() => {
        if (this.#turn === turn) this.#turn = undefined
      })
    this.#turn = turn
  }

  #handle(slot: Slot, request: ListenerRequest, recordErrors: RequestContext['recordErrors']): void {
    if (this.#gone.signal.aborted) {
      this.#done(slot)
      return
    }
    const { api, header } = request
    slot.isWorkedOn = true
    const beganMs = this.#host.now()
    const body = this.#host.quotas.limit(request, this.#principal)
    const handled = this.#host.handle(api, body, { ...this.#contextOf(header), recordErrors })
    slot.busyMs += this.#host.now() - beganMs
    handled.then(
      (response) => {
        this.#done(slot)
        this.#respond(slot, request, response)
      },
      (error: unknown) => {
        this.#done(slot)
        this.#refuse(error)
      },
    )
  }

  /** The broker is done with it: what a client that is gone had asked for counts no longer. */
  #done(slot: Slot): void {
    if (slot.isWorkedOn && this.#gone.signal.aborted) this.#host.requestMemory.release(slot.sizeBytes)
    slot.isWorkedOn = false
  }

  #contextOf({ apiVersion, clientId }: RequestHeader): RequestContext {
    return {
      apiVersion,
      clientId,
      clientHost: hostOf(this.remoteAddress),
      signal: this.#gone.signal,
      advertised: this.#host.advertised,
      principal: this.#principal,
      authorizer: this.#host.authorizer,
    }
  }

  /** As Kafka names clients: by what they authenticated with last. */
  get #principal(): string {
    const name = this.#authenticator?.user ?? this.#connection.peerName
    return name === undefined ? ANONYMOUS : `User:${name}`
  }

  #authenticate(authenticator: SaslAuthenticator, slot: Slot, frame: Uint8Array): void {
    this.#isAuthenticating = true
    void authenticator.step(frame).then(({ answer, failure }) => {
      if (this.#gone.signal.aborted) return
      if (failure !== undefined) {
        this.#turnAway(failure, () => this.#answer(slot, answer ?? []))
        return
      }
      this.#isAuthenticating = false
      if (authenticator.hasSession) {
        this.#authenticationDeadline?.cancel()
        this.#reader.maxFrameBytes = this.#host.maxRequestBytes
      }
      this.#answer(slot, answer ?? [])
    })
  }

  /** Ends it as Kafka does when credentials are wrong: after a while, so that guessing takes its time. */
  #turnAway(error: unknown, answer: () => void): void {
    this.#isAuthenticating = true
    this.#host.refused(this, error)
    const delayMs = this.#host.sasl?.options.connectionFailedAuthenticationDelayMs ?? 0
    this.#turnedAway = this.#host.later(delayMs, () => {
      answer()
      this.#connection.end()
      // Or it would never be seen that the client has gone, too.
      this.#connection.resume()
    })
  }

  #respond(slot: Slot, request: ListenerRequest, response: Message<Fields>): void {
    if (this.#gone.signal.aborted) return
    try {
      const isSilent = wantsNoAnswer(request)
      // There is no answer that could carry the error: as in Kafka the connection ends instead.
      if (isSilent && hasProduceError(response)) this.#connection.end()
      const beganMs = this.#host.now()
      const answer = isSilent ? [] : responseFrame(request, response)
      slot.busyMs += this.#host.now() - beganMs
      const throttleTimeMs = this.#charge(slot, request, answer)
      const isToBeTold = throttleTimeMs > 0 && !isSilent && 'throttleTimeMs' in response
      this.#answer(slot, isToBeTold ? responseFrame(request, { ...response, throttleTimeMs }) : answer)
    } catch (error) {
      this.#refuse(error)
    }
  }

  /** Counts what the request took; where that is too much, nothing more is read for as long as it returns. */
  #charge({ sizeBytes, busyMs }: Slot, request: ListenerRequest, answer: readonly Uint8Array[]): number {
    let answerBytes = 0
    for (const piece of answer) answerBytes += piece.length
    const { quotas } = this.#host
    const silentMs = quotas.charge(request, this.#principal, { requestBytes: sizeBytes, answerBytes, busyMs })
    const untilMs = this.#host.now() + silentMs
    if (silentMs > 0 && untilMs > (this.#silence?.untilMs ?? 0)) {
      this.#silence?.timer.cancel()
      const timer = this.#host.later(silentMs, () => {
        this.#silence = undefined
        this.#goOn()
      })
      this.#silence = { untilMs, timer }
    }
    return silentMs
  }

  #answer(slot: Slot, pieces: readonly Uint8Array[]): void {
    this.#touch()
    this.#host.requestMemory.release(slot.sizeBytes)
    this.#answers.fill(slot, pieces)
    this.#goOn()
  }

  #touch(): void {
    this.lastActiveMs = this.#host.now()
  }

  /** Whoever it is has not authenticated in time, or was turned away and has not gone. */
  #isTooLate(afterMs: number): void {
    if (this.#turnedAway === undefined) {
      const message = `The client has not authenticated within ${afterMs} ms; expected that it does in time.`
      this.#host.refused(this, new OttlaError('SASL_AUTHENTICATION_FAILED', message))
    }
    this.close()
  }

  #refuse(error: unknown): void {
    if (this.#gone.signal.aborted || this.#turnedAway !== undefined) return
    if (this.#isUnknown) {
      this.#turnAway(error, () => undefined)
      return
    }
    this.#host.refused(this, error)
    this.close()
  }
}

/** As Kafka writes a client's host. A Unix socket's peer is on this machine, but not in this process. */
const hostOf = (remoteAddress: string): string => {
  const host = `/${remoteAddress.replace(/^::ffff:/, '')}`
  return host === IN_PROCESS_HOST ? '/' : host
}
