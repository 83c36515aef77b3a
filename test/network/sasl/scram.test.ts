/** SCRAM against the vectors of its RFCs, and a client that does the mathematics by Node's crypto, right and wrong. */
import { createHash, createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla, type Listener, type ScramMechanism } from '../../../src/index.js'
import { saltPassword, scramKeysOf } from '../../../src/protocol/scram.js'
import { timingSafeEqual } from '../../../src/runtime/crypto.js'
import { scram, type ScramRun, type ScramTwist } from '../../support/sasl-client.js'
import { WireClient } from '../../support/wire-client.js'

const SASL_AUTHENTICATION_FAILED = 58
const TOLD =
  'Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256'

describe('the keys', () => {
  it('are those of RFC 7677, section 3', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    const salted = await saltPassword('SCRAM-SHA-256', 'pencil', salt, 4096)
    const { storedKey, serverKey } = await scramKeysOf('SCRAM-SHA-256', salted)
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
    const authMessage = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
    const signature = createHmac('sha256', storedKey).update(authMessage).digest()
    const clientKey = proof.map((byte, at) => byte ^ signature[at]!)
    expect(createHash('sha256').update(clientKey).digest().equals(storedKey)).toBe(true)
    expect(createHmac('sha256', serverKey).update(authMessage).digest('base64')).toBe(
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    )
  })
})

it('keys are derived beside the event loop, which goes on meanwhile', async () => {
  const salt = new Uint8Array(24)
  let done = 0
  const derivations = Array.from({ length: 64 }, async () => {
    await saltPassword('SCRAM-SHA-512', 'pencil', salt, 16_384)
    done++
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toBeLessThan(derivations.length)
  await Promise.all(derivations)
})

describe('the comparison', () => {
  it.each([
    ['', '', true],
    ['00', '00', true],
    ['00ff', '00fe', false],
    ['80ff', '00ff', false],
    ['00', '0000', false],
  ])('of %s and %s', (left, right, isSame) => {
    expect(timingSafeEqual(Buffer.from(left, 'hex'), Buffer.from(right, 'hex'))).toBe(isSame)
  })
})

describe('a listener with SCRAM', () => {
  let ottla: Ottla
  let listener: Listener
  const clients: WireClient[] = []
  const upsert = (
    user: string,
    mechanism: ScramMechanism,
    password: string,
    iterations?: number,
  ): Promise<void> =>
    ottla.admin.alterUserScramCredentials([
      { user, mechanism, password, ...(iterations === undefined ? {} : { iterations }) },
    ])
  const run = async (
    user: string,
    password: string,
    twist?: ScramTwist,
    mechanism: ScramMechanism = 'SCRAM-SHA-256',
  ): Promise<ScramRun> => {
    const client = await WireClient.connect(listener.port)
    clients.push(client)
    return scram(client, mechanism, user, password, twist)
  }

  beforeEach(async () => {
    ottla = await Ottla.open()
    listener = await ottla.listen({
      sasl: { scram: ['SCRAM-SHA-256', 'SCRAM-SHA-512'], connectionFailedAuthenticationDelayMs: 0 },
    })
    await upsert('alice', 'SCRAM-SHA-256', 'wonderland')
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await ottla.close()
  })

  it.each(['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)(
    'lets who knows the password in by %s, and shows that it knows it too',
    async (mechanism) => {
      await upsert('bob', mechanism, 'päss wörd 日本', 16_384)
      const { final, isServerProven, iterations } = await run('bob', 'päss wörd 日本', {}, mechanism)
      expect(final).toMatchObject({ errorCode: 0, errorMessage: null })
      expect(isServerProven).toBe(true)
      expect(iterations).toBe(16_384)
    },
  )

  it('knows names with commas and equals signs', async () => {
    await upsert('a,b=c', 'SCRAM-SHA-256', 'x')
    expect((await run('', 'x', { name: 'a=2Cb=3Dc' })).isServerProven).toBe(true)
  })

  it('takes a client that could bind channels, and one that acts in its own name', async () => {
    expect((await run('alice', 'wonderland', { header: 'y,,' })).isServerProven).toBe(true)
    expect((await run('alice', 'wonderland', { header: 'n,a=alice,' })).isServerProven).toBe(true)
  })

  it.each<[string, ScramTwist]>([
    ['another nonce', { nonce: (nonce) => `${nonce}x` }],
    ['a nonce without its own part', { nonce: (nonce) => nonce.slice('client-nonce'.length) }],
    ['a nonce without the server’s part', { nonce: () => 'client-nonce' }],
    ['another binding', { binding: Buffer.from('y,,').toString('base64') }],
    [
      'a proof with a bit off',
      { proof: (proof) => Buffer.from(proof.map((byte, at) => (at === 31 ? byte ^ 1 : byte))) },
    ],
    ['half a proof', { proof: (proof) => proof.subarray(0, 16) }],
    ['no proof', { proof: () => Buffer.alloc(0) }],
    ['a proof of zeros', { proof: () => Buffer.alloc(32) }],
    ['a channel binding', { header: 'p=tls-unique,,' }],
    ['an extension that has to be understood', { name: 'x,m=1,n=alice' }],
    ['a name that is escaped wrongly', { name: 'alice=2' }],
  ])('refuses %s', async (_what, twist) => {
    const outcome = run('alice', 'wonderland', twist)
    const failed = await outcome.then(
      ({ final }) => final,
      // Already the first message was refused, and the connection is over.
      () => undefined,
    )
    if (failed !== undefined)
      expect(failed).toMatchObject({ errorCode: SASL_AUTHENTICATION_FAILED, errorMessage: TOLD })
    await clients[0]?.closed
  })

  it('refuses a wrong password as it refuses a user that there is none of', async () => {
    const wrong = await run('alice', 'Wonderland')
    const unknown = await run('mallory', 'wonderland')
    expect(wrong.final).toEqual(unknown.final)
    expect(wrong.final).toMatchObject({ errorCode: SASL_AUTHENTICATION_FAILED, errorMessage: TOLD })
    // Asked as any other, and always for the same.
    expect(unknown.first.errorCode).toBe(0)
    expect([unknown.iterations, unknown.salt.length]).toEqual([wrong.iterations, wrong.salt.length])
    expect((await run('mallory', 'x')).salt).toBe(unknown.salt)
    expect((await run('mallory2', 'x')).salt).not.toBe(unknown.salt)
  })

  it('keeps mechanisms apart, and forgets what is removed', async () => {
    expect((await run('alice', 'wonderland', {}, 'SCRAM-SHA-512')).final.errorCode).toBe(
      SASL_AUTHENTICATION_FAILED,
    )
    await upsert('alice', 'SCRAM-SHA-256', 'changed')
    expect((await run('alice', 'wonderland')).final.errorCode).toBe(SASL_AUTHENTICATION_FAILED)
    expect((await run('alice', 'changed')).isServerProven).toBe(true)
    await ottla.admin.alterUserScramCredentials([{ user: 'alice', mechanism: 'SCRAM-SHA-256' }])
    expect((await run('alice', 'changed')).final.errorCode).toBe(SASL_AUTHENTICATION_FAILED)
  })
})
