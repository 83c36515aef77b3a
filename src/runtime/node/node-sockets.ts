/** The Sockets seam on Node: node:net, and node:tls where certificates are given. */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import { bind } from './bind.js'
import type {
  Connection,
  ConnectionHandler,
  ListenAt,
  SocketServer,
  Sockets,
  TlsOptions,
} from '../sockets.js'

class NodeConnection implements Connection {
  readonly remoteAddress: string
  readonly peerName: string | undefined
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    this.remoteAddress = socket.remoteAddress ?? ''
    this.peerName = peerNameOf(socket)
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  write(pieces: readonly Uint8Array[]): void {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return
    // Corked, the pieces go to the operating system as one vectored write.
    socket.cork()
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** Node has the parts of the name one per line, from the country down; RFC 2253 has them the other way round. */
const peerNameOf = (socket: Socket): string | undefined => {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  return socket.getPeerX509Certificate()?.subject.split('\n').reverse().join(',')
}

const bytesOf = (pem: string | Uint8Array): string | Buffer =>
  typeof pem === 'string' ? pem : Buffer.from(pem.buffer, pem.byteOffset, pem.byteLength)

const tlsServer = (tls: TlsOptions, accept: (socket: Socket) => void): Server =>
  createTlsServer(
    {
      cert: bytesOf(tls.cert),
      key: bytesOf(tls.key),
      ...(tls.ca === undefined ? {} : { ca: bytesOf(tls.ca) }),
      requestCert: tls.requireClientCertificate === true,
      rejectUnauthorized: tls.requireClientCertificate === true,
      handshakeTimeout: MAX_HANDSHAKE_MS,
      minVersion: 'TLSv1.2',
    },
    accept,
  )

/** How many connections may be at their TLS handshake, and for how long: nobody else has counted them yet. */
const MAX_HANDSHAKES = 256
const MAX_HANDSHAKE_MS = 10_000
/** After how long a silence the operating system asks whether the peer is still there. */
const KEEP_ALIVE_AFTER_MS = 60_000

/** This machine's network. */
export const nodeSockets: Sockets = {
  async listen(at: ListenAt, accept: (connection: Connection) => ConnectionHandler): Promise<SocketServer> {
    const sockets = new Set<Socket>()
    let acceptedCount = 0
    const onSocket = (socket: Socket): void => {
      acceptedCount++
      socket.setNoDelay(true)
      socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS)
      const handler = accept(new NodeConnection(socket))
      socket.on('data', (bytes: Buffer) => handler.data(bytes))
      socket.on('drain', () => handler.drained())
      // 'close' follows and says all that matters: the stream is over.
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        acceptedCount--
        handler.closed()
      })
    }
    const server = at.tls === undefined ? createServer(onSocket) : tlsServer(at.tls, onSocket)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      if (sockets.size - acceptedCount > MAX_HANDSHAKES) socket.destroy()
    })
    await bind(server, at)
    const address = server.address()
    return {
      port: typeof address === 'object' && address !== null ? address.port : 0,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          for (const socket of sockets) socket.destroy()
        }),
    }
  },
}
