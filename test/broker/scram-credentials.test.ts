/** The SCRAM credentials that the metadata keeps: Kafka's checks, and that they are there again after a restart. */
import { describe, expect, it } from 'vitest'
import { alterUserScramCredentials } from '../../src/protocol/api/alter-user-scram-credentials.js'
import { describeUserScramCredentials } from '../../src/protocol/api/describe-user-scram-credentials.js'
import { Ottla } from '../../src/index.js'
import { keptStorage } from '../support/kept-storage.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'

const SHA_256 = 1
const SHA_512 = 2
const CODES = { unsupportedMechanism: 33, notFound: 91, duplicate: 92, unacceptable: 93 }

const upsertion = (name: string, mechanism = SHA_256, iterations = 4096) => ({
  name,
  mechanism,
  iterations,
  salt: new Uint8Array([1, 2, 3]),
  saltedPassword: new Uint8Array(32).fill(7),
})
const alter = async (
  { send }: TestBroker,
  upsertions: ReturnType<typeof upsertion>[],
  deletions: { name: string; mechanism: number }[] = [],
): Promise<(readonly [string, number])[]> => {
  const { results } = await send(alterUserScramCredentials, { deletions, upsertions })
  return results.map(({ user, errorCode }) => [user, errorCode] as const)
}
const describeAll = async ({ send }: TestBroker, names: string[] | null = null) => {
  const { results } = await send(describeUserScramCredentials, {
    users: names?.map((name) => ({ name })) ?? null,
  })
  return results.map(({ user, errorCode, credentialInfos }) => [
    user,
    errorCode,
    credentialInfos.map(({ mechanism, iterations }) => [mechanism, iterations]),
  ])
}

describe('credentials', () => {
  it('are set, described, replaced and removed', async () => {
    const broker = await openTestBroker()
    expect(await alter(broker, [upsertion('a'), upsertion('b', SHA_512, 16_384)])).toEqual([
      ['a', 0],
      ['b', 0],
    ])
    await alter(broker, [upsertion('a', SHA_512)])
    await alter(broker, [upsertion('a', SHA_256, 5000)])
    expect(await describeAll(broker)).toEqual([
      [
        'a',
        0,
        [
          [SHA_256, 5000],
          [SHA_512, 4096],
        ],
      ],
      ['b', 0, [[SHA_512, 16_384]]],
    ])
    expect(await alter(broker, [], [{ name: 'b', mechanism: SHA_512 }])).toEqual([['b', 0]])
    expect(await describeAll(broker, [])).toHaveLength(1)
    await broker.broker.close()
  })

  it('are refused as Kafka refuses them, each for itself', async () => {
    const broker = await openTestBroker()
    expect(
      await alter(
        broker,
        [
          upsertion('few', SHA_256, 4095),
          upsertion('many', SHA_256, 16_385),
          upsertion('other', 3),
          upsertion(''),
          upsertion('twice'),
          upsertion('twice', SHA_512),
          { ...upsertion('empty'), saltedPassword: new Uint8Array(0) },
          upsertion('good'),
        ],
        [{ name: 'nobody', mechanism: SHA_256 }],
      ),
    ).toEqual([
      ['nobody', CODES.notFound],
      ['few', CODES.unacceptable],
      ['many', CODES.unacceptable],
      ['other', CODES.unsupportedMechanism],
      ['', CODES.unacceptable],
      ['twice', CODES.duplicate],
      ['empty', CODES.unacceptable],
      ['good', 0],
    ])
    expect(await describeAll(broker)).toEqual([['good', 0, [[SHA_256, 4096]]]])
    expect(await describeAll(broker, ['good', 'nobody', 'x', 'x'])).toEqual([
      ['good', 0, [[SHA_256, 4096]]],
      ['nobody', CODES.notFound, []],
      ['x', CODES.duplicate, []],
    ])
    await broker.broker.close()
  })

  it('are there again after a restart, and the removed ones are not', async () => {
    const storage = keptStorage()
    const first = await openTestBroker({}, storage)
    await alter(first, [upsertion('a'), upsertion('b')])
    await alter(first, [], [{ name: 'a', mechanism: SHA_256 }])
    const before = first.broker.scramCredential('b', 'SCRAM-SHA-256')
    await first.broker.close()
    const second = await openTestBroker({}, storage)
    expect(await describeAll(second)).toEqual([['b', 0, [[SHA_256, 4096]]]])
    const after = second.broker.scramCredential('b', 'SCRAM-SHA-256')
    expect(fieldsOf(after)).toEqual(fieldsOf(before))
    await second.broker.close()
  })
})

const fieldsOf = (credential: object | undefined): string[] =>
  Object.entries(credential ?? {})
    .map(String)
    .sort()

describe('the admin client', () => {
  it('sets, describes and removes them', async () => {
    const { admin, close } = await opened()
    await admin.alterUserScramCredentials([
      { user: 'a', mechanism: 'SCRAM-SHA-512', password: 'p' },
      { user: 'b', mechanism: 'SCRAM-SHA-256', password: 'p', iterations: 10_000 },
    ])
    expect(await admin.describeUserScramCredentials()).toEqual([
      { name: 'a', credentialInfos: [{ mechanism: 'SCRAM-SHA-512', iterations: 4096 }] },
      { name: 'b', credentialInfos: [{ mechanism: 'SCRAM-SHA-256', iterations: 10_000 }] },
    ])
    await admin.alterUserScramCredentials([{ user: 'a', mechanism: 'SCRAM-SHA-512' }])
    expect(await admin.describeUserScramCredentials([])).toEqual([])
    await expect(admin.describeUserScramCredentials(['a'])).rejects.toMatchObject({
      code: 'RESOURCE_NOT_FOUND',
      details: { user: 'a' },
    })
    await close()
  })

  it.each([
    [{ mechanism: 'SCRAM-SHA-1', password: 'secret' }, 'INVALID_ARGUMENT'],
    [{ mechanism: 'SCRAM-SHA-256', password: '' }, 'INVALID_ARGUMENT'],
    [{ mechanism: 'SCRAM-SHA-256', password: ['secret'] }, 'INVALID_ARGUMENT'],
    [{ mechanism: 'SCRAM-SHA-256', password: 'secret', iterations: 4095 }, 'UNACCEPTABLE_CREDENTIAL'],
    [{ mechanism: 'SCRAM-SHA-256', password: 'secret', iterations: 16_385 }, 'UNACCEPTABLE_CREDENTIAL'],
    [{ mechanism: 'SCRAM-SHA-256', password: 'secret', iterations: 5000.5 }, 'UNACCEPTABLE_CREDENTIAL'],
  ])('refuses %o, and shows no password', async (alteration, code) => {
    const { admin, close } = await opened()
    const refused = await admin
      .alterUserScramCredentials([{ user: 'a', ...alteration } as never])
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ code })
    expect(JSON.stringify([refused, String(refused)])).not.toContain('secret')
    await close()
  })
})

const opened = async () => {
  const ottla = await Ottla.open()
  return { admin: ottla.admin, close: () => ottla.close() }
}
