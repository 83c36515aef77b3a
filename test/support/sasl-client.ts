/** The client's side of SASL, by Node's own crypto: what a test says step by step, right or wrong. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { saslAuthenticate } from '../../src/protocol/api/sasl-authenticate.js'
import { saslHandshake } from '../../src/protocol/api/sasl-handshake.js'
import type { ResponseOf } from '../../src/protocol/schema.js'
import type { WireClient } from './wire-client.js'

type Authenticated = ResponseOf<typeof saslAuthenticate>

/** SaslHandshake, version 1. */
export const handshake = (client: WireClient, mechanism: string): Promise<ResponseOf<typeof saslHandshake>> =>
  client.call(saslHandshake, 1, { mechanism })

/** One token there and one back. */
export const token = (client: WireClient, text: string | Uint8Array, version = 2): Promise<Authenticated> =>
  client.call(saslAuthenticate, version, { authBytes: Buffer.from(text as string) })

/** Both steps of PLAIN. */
export const plain = async (client: WireClient, user: string, password: string): Promise<Authenticated> => {
  await handshake(client, 'PLAIN')
  return token(client, `\0${user}\0${password}`)
}

/** OAUTHBEARER's only step, when all is well. */
export const bearer = async (client: WireClient, value: string): Promise<Authenticated> => {
  await handshake(client, 'OAUTHBEARER')
  return token(client, `n,,\u0001auth=Bearer ${value}\u0001\u0001`)
}

/** What of a SCRAM exchange a test wants otherwise. */
export interface ScramTwist {
  readonly header?: string
  readonly name?: string
  readonly nonce?: (nonce: string) => string
  readonly binding?: string
  readonly proof?: (proof: Buffer) => Buffer
}

/** The answers to both messages of SCRAM, and whether the server has shown that it knows the password. */
export interface ScramRun {
  readonly first: Authenticated
  readonly final: Authenticated
  readonly isServerProven: boolean
  readonly salt: string
  readonly iterations: number
}

/** All of SCRAM. */
export const scram = async (
  client: WireClient,
  mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
  user: string,
  password: string,
  twist: ScramTwist = {},
): Promise<ScramRun> => {
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const hmac = (key: Buffer, text: string | Buffer): Buffer => createHmac(hash, key).update(text).digest()
  const header = twist.header ?? 'n,,'
  await handshake(client, mechanism)
  const bare = `n=${twist.name ?? user},r=client-nonce`
  const first = await token(client, header + bare)
  const serverFirst = Buffer.from(first.authBytes).toString()
  const [, nonce = '', salt = '', iterations = '0'] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const binding = twist.binding ?? Buffer.from(header).toString('base64')
  const withoutProof = `c=${binding},r=${twist.nonce?.(nonce) ?? nonce}`
  const authMessage = `${bare},${serverFirst},${withoutProof}`
  const length = hash === 'sha256' ? 32 : 64
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations) || 1, length, hash)
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(createHash(hash).update(clientKey).digest(), authMessage)
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!))
  const sent = (twist.proof?.(proof) ?? proof).toString('base64')
  const final = await token(client, `${withoutProof},p=${sent}`)
  const expected = `v=${hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')}`
  return {
    first,
    final,
    isServerProven: Buffer.from(final.authBytes).toString() === expected,
    salt,
    iterations: Number(iterations),
  }
}
