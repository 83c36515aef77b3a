/** Sessions that end (KIP-368), and answers to wrong credentials that take their time; with the clock in the test's hands. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Broker } from '../../../src/broker/broker.js'
import { Listener } from '../../../src/network/listener/listener.js'
import type { SaslOptions } from '../../../src/index.js'
import { apiVersions } from '../../../src/protocol/api/api-versions.js'
import { nodeSockets } from '../../../src/runtime/node/node-sockets.js'
import { systemRandom } from '../../../src/runtime/random.js'
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.js'
import { ManualClock } from '../../support/manual-clock.js'
import { bearer, handshake, plain, token } from '../../support/sasl-client.js'
import { WireClient } from '../../support/wire-client.js'

const ILLEGAL_SASL_STATE = 34
const SASL_AUTHENTICATION_FAILED = 58
const askVersions = { clientSoftwareName: 'wire', clientSoftwareVersion: '1' }

let clock: ManualClock
let broker: Broker
let client: WireClient
let listener: Listener

const open = async (sasl: SaslOptions): Promise<void> => {
  listener = await Listener.open({ sasl }, { broker, sockets: nodeSockets, clock, random: systemRandom })
  client = await WireClient.connect(listener.port)
}
const once = (): Promise<unknown> => new Promise((resolve) => listener.events.on('clientRefused', resolve))
const isServed = (): Promise<boolean> =>
  client.call(apiVersions, 3, askVersions).then(
    ({ errorCode }) => errorCode === 0,
    () => false,
  )

beforeEach(async () => {
  clock = new ManualClock()
  broker = await Broker.open({ storage: new MemoryStorage(), clock })
})
afterEach(async () => {
  client.close()
  await listener.close()
  await broker.close()
})

describe('a session', () => {
  const USERS: SaslOptions = {
    plain: { alice: 'wonderland', bob: 'x' },
    scram: ['SCRAM-SHA-256'],
    connectionsMaxReauthMs: 10_000,
  }

  it('ends after connections.max.reauth.ms, unless the client authenticates again', async () => {
    await open(USERS)
    expect((await plain(client, 'alice', 'wonderland')).sessionLifetimeMs).toBe(10_000)
    clock.advance(9_000)
    expect((await plain(client, 'alice', 'wonderland')).sessionLifetimeMs).toBe(10_000)
    clock.advance(9_000)
    expect(await isServed()).toBe(true)
    clock.advance(1_001)
    expect(await isServed()).toBe(false)
    await client.closed
  })

  it('can be renewed after its end too, as long as nothing else is asked', async () => {
    await open(USERS)
    await plain(client, 'alice', 'wonderland')
    clock.advance(60_000)
    expect((await plain(client, 'alice', 'wonderland')).errorCode).toBe(0)
    expect(await isServed()).toBe(true)
  })

  it('is not told to a client of the first version, and ends all the same', async () => {
    await open(USERS)
    await handshake(client, 'PLAIN')
    expect((await token(client, '\0alice\0wonderland', 0)).sessionLifetimeMs).toBe(0)
    clock.advance(10_001)
    expect(await isServed()).toBe(false)
  })

  it('is renewed once a second at most', async () => {
    await open(USERS)
    await plain(client, 'alice', 'wonderland')
    await plain(client, 'alice', 'wonderland')
    clock.advance(999)
    expect((await handshake(client, 'PLAIN')).errorCode).toBe(ILLEGAL_SASL_STATE)
    clock.advance(1)
    expect((await plain(client, 'alice', 'wonderland')).errorCode).toBe(0)
  })

  it('stays with its user', async () => {
    await open({ ...USERS, connectionFailedAuthenticationDelayMs: 0 })
    await plain(client, 'alice', 'wonderland')
    const answer = plain(client, 'bob', 'x')
    await passing(answer)
    expect(await answer).toMatchObject({
      errorCode: SASL_AUTHENTICATION_FAILED,
      errorMessage: 'Cannot change principals during re-authentication from User.alice: User.bob',
    })
    await client.closed
  })

  it('stays with its mechanism', async () => {
    await open({ ...USERS, connectionFailedAuthenticationDelayMs: 0 })
    await plain(client, 'alice', 'wonderland')
    await handshake(client, 'SCRAM-SHA-256')
    const answer = token(client, 'n,,n=alice,r=x')
    await passing(answer)
    expect((await answer).errorMessage).toBe(
      "SASL mechanism 'SCRAM-SHA-256' requested by client is not supported for re-authentication of mechanism 'PLAIN'",
    )
  })

  it('serves nothing but its renewal once that has begun', async () => {
    await open(USERS)
    await plain(client, 'alice', 'wonderland')
    await handshake(client, 'PLAIN')
    const served = isServed()
    await passing(served)
    expect(await served).toBe(false)
  })

  it.each([
    [0, 5_000, 5_000],
    [3_000, 5_000, 3_000],
    [10_000, 5_000, 5_000],
    [10_000, undefined, 10_000],
    [0, undefined, 0],
  ])('of at most %i ms by a token that is good for %s ms lasts %i', async (maximum, good, lifetime) => {
    await open({
      oauthbearer: () => ({
        principal: 'alice',
        expiresAt: good === undefined ? undefined : clock.now() + good,
      }),
      connectionsMaxReauthMs: maximum,
    })
    expect((await bearer(client, 't')).sessionLifetimeMs).toBe(lifetime)
  })
})

describe('wrong credentials', () => {
  it('are answered after connection.failed.authentication.delay.ms', async () => {
    await open({ plain: { alice: 'wonderland' }, connectionFailedAuthenticationDelayMs: 300 })
    let isAnswered = false
    const refused = once()
    const answer = plain(client, 'alice', 'x').finally(() => (isAnswered = true))
    await refused
    clock.advance(299)
    // Whatever was to come has come by the time that another connection was served.
    const other = await WireClient.connect(listener.port)
    await handshake(other, 'PLAIN')
    other.close()
    expect(isAnswered).toBe(false)
    clock.advance(1)
    expect((await answer).errorCode).toBe(SASL_AUTHENTICATION_FAILED)
    await client.closed
  })

  it('of a client that leaves meanwhile leave nothing behind', async () => {
    await open({ plain: { alice: 'wonderland' }, connectionFailedAuthenticationDelayMs: 300 })
    const refused = once()
    plain(client, 'alice', 'x').catch(() => undefined)
    await refused
    const pending = clock.pendingCount
    client.close()
    await expect.poll(() => listener.connectionCount).toBe(0)
    await listener.close()
    // The broker's own is left.
    expect([pending, clock.pendingCount]).toEqual([2, 1])
  })
})

/** Lets time pass, a little each turn, until `promise` is settled. */
const passing = async (promise: Promise<unknown>): Promise<void> => {
  let isSettled = false
  void promise.catch(() => undefined).finally(() => (isSettled = true))
  await expect
    .poll(() => {
      clock.advance(100)
      return isSettled
    })
    .toBe(true)
}
