/** The Sockets seam: byte streams that come in from outside. What a listener needs of them, and no more. */

/** A stream to one peer. */
export interface Connection {
  /** The peer's address; empty for a Unix socket. */
  readonly remoteAddress: string
  /** The subject of the certificate that the peer has shown and an authority signed, as RFC 2253 writes it. */
  readonly peerName: string | undefined
  /** How many bytes were written that the operating system has not taken yet. */
  readonly bufferedBytes: number
  /** Writes the pieces one after another; they must not be changed any more. */
  write(pieces: readonly Uint8Array[]): void
  /** Stops reading until `resume`: the peer is held back by its own window. */
  pause(): void
  resume(): void
  /** Closes the stream after what was written has gone out. */
  end(): void
  /** Closes the stream at once. */
  destroy(): void
}

/** What a connection tells its owner. */
export interface ConnectionHandler {
  /** Bytes came, in memory that nobody changes any more; it may be part of something larger, so it is not for keeping. */
  data(bytes: Uint8Array): void
  /** What was buffered has gone out. */
  drained(): void
  /** The stream is over, well or not; the last call. */
  closed(): void
}

/** Certificates and keys for TLS, as PEM. */
export interface TlsOptions {
  /** The server's certificate chain. */
  readonly cert: string | Uint8Array
  /** The private key of the first certificate in `cert`. */
  readonly key: string | Uint8Array
  /** Who signs the certificates of clients; the platform's well-known authorities when left out. */
  readonly ca?: string | Uint8Array
  /** Whether a client without a certificate that `ca` signed is turned away (mTLS); default false. */
  readonly requireClientCertificate?: boolean
}

/** Where to listen: a TCP address, or the path of a Unix socket. */
export interface ListenAt {
  readonly host?: string | undefined
  /** 0 for one that is free. */
  readonly port?: number | undefined
  /** A Unix socket; the file of one that nobody listens at any more is replaced. */
  readonly path?: string | undefined
  /** Who may connect to it, as the mode of its file; what the process's umask leaves when not given. */
  readonly pathMode?: number | undefined
  readonly tls?: TlsOptions | undefined
}

/** A server that accepts connections. */
export interface SocketServer {
  /** The port that it listens on; 0 for a Unix socket. */
  readonly port: number
  /** Accepts no more, and closes what is open, or at its TLS handshake, at once. */
  close(): Promise<void>
}

/** Makes servers. */
export interface Sockets {
  /** Listens; `accept` is called for each connection and says who handles it. */
  listen(at: ListenAt, accept: (connection: Connection) => ConnectionHandler): Promise<SocketServer>
}
