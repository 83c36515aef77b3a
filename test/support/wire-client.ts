/** A client of one connection that says exactly what a test wants said, in any version, well formed or not. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { decodeCorrelationId, decodeResponseBody, encodeRequest } from '../../src/protocol/frame.js'
import { Reader } from '../../src/protocol/reader.js'
import type { Api, Fields, RequestOf, ResponseOf } from '../../src/protocol/schema.js'

interface Waiting {
  readonly take: (frame: Buffer) => void
  readonly fail: (error: Error) => void
}

/** One connection to a listener. */
export class WireClient {
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  /** The correlation ids of the frames that came, in their order. */
  readonly correlationIds: number[] = []
  #bytes = Buffer.alloc(0)
  #isClosed = false
  #nextCorrelationId = 1

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.#isClosed = true
        for (const { fail } of this.#waiting.splice(0)) fail(new Error('the connection was closed'))
        resolve()
      }),
    )
  }

  /** Connects to a port of this machine, or to a Unix socket. */
  static async connect(to: number | string): Promise<WireClient> {
    const socket = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to)
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  /** Sends a request; resolves to its response, rejects when the connection ends first. */
  async call<Q extends Fields, P extends Fields>(
    api: Api<Q, P>,
    version: number,
    request: RequestOf<Api<Q, P>>,
  ): Promise<ResponseOf<Api<Q, P>>> {
    const correlationId = this.#nextCorrelationId++
    const answer = this.next()
    this.write(Buffer.concat(encodeRequest(api, version, request, { correlationId, clientId: 'wire' })))
    const reader = new Reader(await answer)
    const answered = decodeCorrelationId(reader)
    if (answered !== correlationId) throw new Error(`${answered} was answered instead of ${correlationId}`)
    const response = decodeResponseBody(api, version, reader)
    if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes are left behind the response`)
    return response
  }

  /** The next frame that comes, without its size. */
  next(): Promise<Buffer> {
    if (this.#isClosed) return Promise.reject(new Error('the connection was closed'))
    return new Promise((take, fail) => this.#waiting.push({ take, fail }))
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    while (this.#bytes.length >= 4) {
      const size = this.#bytes.readInt32BE(0)
      if (this.#bytes.length < 4 + size) return
      const frame = this.#bytes.subarray(4, 4 + size)
      this.#bytes = this.#bytes.subarray(4 + size)
      // A bare token of SASL may be empty.
      if (size >= 4) this.correlationIds.push(frame.readInt32BE(0))
      this.#waiting.shift()?.take(frame)
    }
  }
}
