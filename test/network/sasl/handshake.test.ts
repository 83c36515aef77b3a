/** What a client may do before it has authenticated, and how it is refused; as Kafka's SaslServerAuthenticator does. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla, type Listener, type OttlaError, type SaslOptions } from '../../../src/index.js'
import { apiVersions } from '../../../src/protocol/api/api-versions.js'
import { metadata } from '../../../src/protocol/api/metadata.js'
import { saslAuthenticate } from '../../../src/protocol/api/sasl-authenticate.js'
import { saslHandshake } from '../../../src/protocol/api/sasl-handshake.js'
import { encodeRequest } from '../../../src/protocol/frame.js'
import { bearer, handshake, plain, token } from '../../support/sasl-client.js'
import { WireClient } from '../../support/wire-client.js'

let ottla: Ottla
const clients: WireClient[] = []

beforeEach(async () => {
  ottla = await Ottla.open()
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await ottla.close()
})

const FAST = { connectionFailedAuthenticationDelayMs: 0 }
const USERS = { alice: 'wonderland', 'b,o=b': 'pass=word,' }
const listen = (sasl: SaslOptions = { plain: USERS, ...FAST }): Promise<Listener> => ottla.listen({ sasl })
const connect = async ({ port }: Listener): Promise<WireClient> => {
  const client = await WireClient.connect(port)
  clients.push(client)
  return client
}
const refusals = (listener: Listener): OttlaError[] => {
  const errors: OttlaError[] = []
  listener.events.on('clientRefused', ({ error }) => errors.push(error))
  return errors
}

const askVersions = { clientSoftwareName: 'wire', clientSoftwareVersion: '1' }
const askTopics = { topics: null, allowAutoTopicCreation: false } as never
const hexOf = (int16: number): string => int16.toString(16).padStart(4, '0')
const UNSUPPORTED_SASL_MECHANISM = 33
const ILLEGAL_SASL_STATE = 34
const SASL_AUTHENTICATION_FAILED = 58

describe('before it has authenticated', () => {
  it('a client may ask for versions, once, then shake hands and authenticate', async () => {
    const client = await connect(await listen())
    expect((await client.call(apiVersions, 3, askVersions)).errorCode).toBe(0)
    expect(await handshake(client, 'PLAIN')).toEqual({ errorCode: 0, mechanisms: ['PLAIN'] })
    expect(await token(client, '\0alice\0wonderland')).toMatchObject({ errorCode: 0, sessionLifetimeMs: 0 })
    expect((await client.call(metadata, 9, askTopics)).topics).toEqual([])
  })

  it('a client that asks for unknown versions is answered, and may ask again', async () => {
    const client = await connect(await listen())
    const answer = client.next()
    client.write(Buffer.from('0000000c0012006300000007ffff0000', 'hex'))
    expect((await answer).readInt16BE(4)).toBe(35)
    expect((await client.call(apiVersions, 3, askVersions)).errorCode).toBe(0)
  })

  it.each([
    ['another request first', async () => undefined, metadata],
    ['SaslAuthenticate first', async () => undefined, saslAuthenticate],
    [
      'another request after ApiVersions',
      (client: WireClient) => client.call(apiVersions, 3, askVersions),
      metadata,
    ],
    [
      'ApiVersions a second time',
      (client: WireClient) => client.call(apiVersions, 3, askVersions),
      apiVersions,
    ],
    ['another request after the handshake', (client: WireClient) => handshake(client, 'PLAIN'), metadata],
    ['a second handshake', (client: WireClient) => handshake(client, 'PLAIN'), saslHandshake],
  ])('%s ends the connection without an answer', async (_what, before, api) => {
    const listener = await listen()
    const errors = refusals(listener)
    const client = await connect(listener)
    await before(client)
    const answered = client.correlationIds.length
    // No more than its header matters.
    client.write(Buffer.from(`0000000a${hexOf(api.key)}${hexOf(api.versions[0])}00000009ffff`, 'hex'))
    await client.closed
    expect(client.correlationIds.length).toBe(answered)
    expect(errors.map(({ code }) => code)).toEqual(['ILLEGAL_SASL_STATE'])
    await expect.poll(() => listener.connectionCount).toBe(0)
  })

  it('a body is not even decoded of what may not be asked', async () => {
    const listener = await listen()
    const errors = refusals(listener)
    const client = await connect(listener)
    // CreateTopics, with an array of two thousand million topics.
    client.write(Buffer.from('0000000e0013000200000001ffff7fffffff', 'hex'))
    await client.closed
    expect(errors.map(({ code }) => code)).toEqual(['ILLEGAL_SASL_STATE'])
  })

  it('an unknown mechanism is refused with those that there are, and the connection ends', async () => {
    const listener = await listen({ plain: USERS, scram: ['SCRAM-SHA-512'], ...FAST })
    const errors = refusals(listener)
    const client = await connect(listener)
    expect(await handshake(client, 'GSSAPI')).toEqual({
      errorCode: UNSUPPORTED_SASL_MECHANISM,
      mechanisms: ['PLAIN', 'SCRAM-SHA-512'],
    })
    await client.closed
    expect(errors.map(({ code }) => code)).toEqual(['UNSUPPORTED_SASL_MECHANISM'])
  })

  it('requests may not be larger than a handshake takes; afterwards they may', async () => {
    const listener = await ottla.listen({ sasl: { plain: USERS, ...FAST, saslServerMaxReceiveSize: 1024 } })
    const errors = refusals(listener)
    const tooLarge = await connect(listener)
    tooLarge.write(Buffer.from('00000401', 'hex'))
    await tooLarge.closed
    expect(errors.map(({ code }) => code)).toEqual(['INVALID_REQUEST'])
    const client = await connect(listener)
    await plain(client, 'alice', 'wonderland')
    const topics = Array.from({ length: 200 }, (_, index) => ({ name: `topic-${index}` }))
    const { topics: answered } = await client.call(metadata, 4, { topics } as never)
    expect(answered.length).toBe(200)
  })

  it('what comes behind the last token in the same write is answered by who it then is', async () => {
    const client = await connect(await listen())
    const frame = (at: number, ...[api, version, body]: Parameters<typeof encodeRequest>): Buffer =>
      Buffer.concat(encodeRequest(api, version, body, { correlationId: at, clientId: null }))
    const answers = [client.next(), client.next(), client.next()]
    client.write(
      Buffer.concat([
        frame(1, saslHandshake, 1, { mechanism: 'PLAIN' }, null as never),
        frame(2, saslAuthenticate, 2, { authBytes: Buffer.from('\0alice\0wonderland') }, null as never),
        frame(3, metadata, 9, askTopics, null as never),
      ]),
    )
    await Promise.all(answers)
    expect(client.correlationIds).toEqual([1, 2, 3])
  })

  it('a client of the oldest kind sends bare tokens', async () => {
    const listener = await listen()
    const client = await connect(listener)
    await client.call(saslHandshake, 0, { mechanism: 'PLAIN' })
    const answer = client.next()
    client.write(Buffer.from('\0\0\0\x11\0alice\0wonderland'))
    expect((await answer).length).toBe(0)
    expect((await client.call(metadata, 9, askTopics)).topics).toEqual([])
    const wrong = await connect(listener)
    await wrong.call(saslHandshake, 0, { mechanism: 'PLAIN' })
    wrong.write(Buffer.from('\0\0\0\x11\0alice\0wonderlanD'))
    await wrong.closed
    expect(wrong.correlationIds).toHaveLength(1)
  })

  it('it is not kept open by being active', async () => {
    const listener = await ottla.listen({
      sasl: { plain: () => new Promise(() => undefined), connectionsMaxAuthenticationMs: 50 },
    })
    const client = await connect(listener)
    await handshake(client, 'PLAIN')
    await expect(token(client, '\0alice\0wonderland')).rejects.toThrow('closed')
  })
})

describe('after it has authenticated', () => {
  it.each([
    ['SaslHandshake', (client: WireClient) => handshake(client, 'PLAIN')],
    ['SaslAuthenticate', (client: WireClient) => token(client, '\0alice\0wonderland')],
  ])('%s is out of place, and the connection goes on', async (_name, ask) => {
    const client = await connect(await listen())
    await plain(client, 'alice', 'wonderland')
    expect((await ask(client)).errorCode).toBe(ILLEGAL_SASL_STATE)
    expect((await client.call(metadata, 9, askTopics)).topics).toEqual([])
  })
})

describe('PLAIN', () => {
  it.each(Object.entries(USERS))('lets %s in', async (user, password) => {
    const client = await connect(await listen())
    expect(await plain(client, user, password)).toMatchObject({ errorCode: 0, errorMessage: null })
  })

  const WRONG = 'Authentication failed: Invalid username or password'
  it.each([
    ['a wrong password', '\0alice\0Wonderland', WRONG],
    ['a user that there is none of', '\0mallory\0wonderland', WRONG],
    ['a name of every object', '\0constructor\0wonderland', WRONG],
    ['no password', '\0alice\0', 'Authentication failed: password not specified'],
    ['no user', '\0\0wonderland', 'Authentication failed: username not specified'],
    ['too few parts', '\0alice', 'Invalid SASL/PLAIN response: expected 3 tokens, got 2'],
    ['too many parts', '\0alice\0wonder\0land', 'Invalid SASL/PLAIN response: expected 3 tokens, got 4'],
    [
      'somebody else in whose name to act',
      'bob\0alice\0wonderland',
      'Authentication failed: Client requested an authorization id that is different from username',
    ],
  ])('refuses %s', async (_what, text, errorMessage) => {
    const listener = await listen()
    const errors = refusals(listener)
    const client = await connect(listener)
    await handshake(client, 'PLAIN')
    const answer = await token(client, text)
    expect(answer).toMatchObject({ errorCode: SASL_AUTHENTICATION_FAILED, errorMessage })
    await client.closed
    expect(errors.map(({ code, details }) => [code, details])).toEqual([
      ['SASL_AUTHENTICATION_FAILED', { mechanism: 'PLAIN' }],
    ])
  })

  it('asks a function, and tells a client nothing of what that throws', async () => {
    const asked: unknown[] = []
    const listener = await listen({
      ...FAST,
      plain: async ({ username, password }, { remoteAddress, signal }) => {
        asked.push([username, password, remoteAddress, signal.aborted])
        if (username === 'broken') throw new Error('the directory at 10.1.2.3 is down')
        return password === `${username}!`
      },
    })
    expect((await plain(await connect(listener), 'ann', 'ann!')).errorCode).toBe(0)
    expect((await plain(await connect(listener), 'ann', 'bob!')).errorCode).toBe(SASL_AUTHENTICATION_FAILED)
    expect((await plain(await connect(listener), 'broken', 'x')).errorMessage).toBe(
      'Authentication failed during authentication due to invalid credentials with SASL mechanism PLAIN',
    )
    expect(asked).toEqual([
      ['ann', 'ann!', '127.0.0.1', false],
      ['ann', 'bob!', '127.0.0.1', false],
      ['broken', 'x', '127.0.0.1', false],
    ])
  })
})

describe('a verifier that answers something else than it should', () => {
  const anything = (value: unknown) => (): never => value as never

  it.each<[string, SaslOptions]>([
    ['a user that was found', { plain: anything({ name: 'alice', password: 'other' }) }],
    ['a number', { plain: anything(1) }],
    ['yes', { oauthbearer: anything(true) }],
    ['null', { oauthbearer: anything(null) }],
    ['no name', { oauthbearer: anything({ sub: 'alice' }) }],
    ['an empty name', { oauthbearer: anything({ principal: '' }) }],
    ['an end that is no number', { oauthbearer: anything({ principal: 'alice', expiresAt: NaN }) }],
    ['a Date for an end', { oauthbearer: anything({ principal: 'alice', expiresAt: new Date(1) }) }],
  ])('by %s lets nobody in, and the application is told', async (_what, sasl) => {
    const listener = await listen({ ...sasl, ...FAST })
    const errors = refusals(listener)
    const client = await connect(listener)
    const answer = await (sasl.plain === undefined ? bearer(client, 'x') : plain(client, 'alice', 'x'))
    expect(answer.errorCode).toBe(SASL_AUTHENTICATION_FAILED)
    expect(answer.errorMessage).toMatch(/due to invalid credentials/)
    await client.closed
    expect(errors[0]?.message).toMatch(/verifier (plain|oauthbearer) of sasl returned something else/)
    expect(errors[0]?.message).not.toContain('other')
  })
})

describe('OAUTHBEARER', () => {
  const oauthbearer: SaslOptions = {
    ...FAST,
    oauthbearer: ({ token: value }) =>
      value === 'good'
        ? { principal: 'alice' }
        : value === 'old'
          ? { principal: 'alice', expiresAt: 1 }
          : undefined,
  }

  it('lets a good token in', async () => {
    const client = await connect(await listen(oauthbearer))
    expect(await bearer(client, 'good')).toMatchObject({ errorCode: 0, sessionLifetimeMs: 0 })
    expect((await client.call(metadata, 9, askTopics)).topics).toEqual([])
  })

  it.each(['bad', 'old'])(
    'answers a token that is %s with its status, and fails when that was heard',
    async (value) => {
      const client = await connect(await listen(oauthbearer))
      const answer = await bearer(client, value)
      expect(answer.errorCode).toBe(0)
      expect(Buffer.from(answer.authBytes).toString()).toBe('{"status":"invalid_token"}')
      expect(await token(client, '\u0001')).toMatchObject({
        errorCode: SASL_AUTHENTICATION_FAILED,
        errorMessage: '{"status":"invalid_token"}',
      })
      await client.closed
    },
  )

  it('hands over what the client says besides', async () => {
    const seen: unknown[] = []
    const listener = await listen({
      ...FAST,
      oauthbearer: (said) => {
        seen.push(said)
        return { principal: 'alice' }
      },
    })
    const client = await connect(listener)
    await handshake(client, 'OAUTHBEARER')
    await token(client, 'n,a=alice,\u0001auth=Bearer a.b-c_d~e+f/g==\u0001scope=x y\u0001\u0001')
    expect(seen).toEqual([{ token: 'a.b-c_d~e+f/g==', extensions: { scope: 'x y' } }])
  })

  it.each([
    ['no message', ''],
    ['no token', 'n,,\u0001scope=x\u0001\u0001'],
    ['another scheme', 'n,,\u0001auth=Basic good\u0001\u0001'],
    ['a channel binding', 'p=x,,\u0001auth=Bearer good\u0001\u0001'],
    ['something behind it', 'n,,\u0001auth=Bearer good\u0001\u0001x'],
    ['no end', 'n,,\u0001auth=Bearer good\u0001'],
  ])('refuses %s', async (_what, text) => {
    const client = await connect(await listen(oauthbearer))
    await handshake(client, 'OAUTHBEARER')
    expect((await token(client, text)).errorCode).toBe(SASL_AUTHENTICATION_FAILED)
    await client.closed
  })

  it("refuses to act in another's name", async () => {
    const client = await connect(await listen(oauthbearer))
    await handshake(client, 'OAUTHBEARER')
    const { errorMessage } = await token(client, 'n,a=bob,\u0001auth=Bearer good\u0001\u0001')
    expect(errorMessage).toBe(
      "Authentication failed: Client requested an authorization id (bob) that is different from the token's principal name (alice)",
    )
  })
})
