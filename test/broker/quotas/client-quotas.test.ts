/** Quotas of clients: which one holds, Kafka's checks, what is described, and that they are there after a restart. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { ClientQuotaManager } from '../../../src/broker/quotas/client-quota-manager.js'
import { ClientQuotas } from '../../../src/broker/quotas/client-quotas.js'
import { alterClientQuotas } from '../../../src/protocol/api/alter-client-quotas.js'
import { describeClientQuotas } from '../../../src/protocol/api/describe-client-quotas.js'
import { keptStorage } from '../../support/kept-storage.js'
import { ManualClock } from '../../support/manual-clock.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'

const KEY = 'producer_byte_rate'
const INVALID_REQUEST = 42
const UNSUPPORTED_VERSION = 35

/** As in `user=alice client-id=`, where nothing is the default. */
const entityOf = (text: string) =>
  text.split(' ').flatMap((part) => {
    const [entityType = '', name = ''] = part.split('=')
    return part === '' ? [] : [{ entityType, entityName: name === '' ? null : name }]
  })
const set = (key: string, value: number) => ({ key, value, remove: false })
const remove = (key: string) => ({ key, value: 0, remove: true })

const alter = async (
  { send }: TestBroker,
  entries: readonly (readonly [string, readonly { key: string; value: number; remove: boolean }[]])[],
  validateOnly = false,
): Promise<readonly number[]> => {
  const response = await send(alterClientQuotas, {
    entries: entries.map(([entity, ops]) => ({ entity: entityOf(entity), ops })),
    validateOnly,
  })
  expect(response.entries.map(({ entity }) => entity)).toEqual(entries.map(([entity]) => entityOf(entity)))
  return response.entries.map(({ errorCode }) => errorCode)
}

const textOf = (entity: readonly { entityType: string; entityName: string | null }[]): string =>
  entity.map(({ entityType, entityName }) => `${entityType}=${entityName ?? ''}`).join(' ')

const described = async (
  { send }: TestBroker,
  components: readonly { entityType: string; matchType: number; match: string | null }[] = [],
  strict = false,
): Promise<Record<string, Record<string, number>>> => {
  const { errorCode, entries } = await send(describeClientQuotas, { components, strict })
  expect(errorCode).toBe(0)
  return Object.fromEntries(
    (entries ?? []).map(({ entity, values }) => [
      textOf(entity),
      Object.fromEntries(values.map(({ key, value }) => [key, value])),
    ]),
  )
}

/** Kafka's order, from the documentation of its quotas, and who shares what was found there. */
const LEVELS: readonly ((user: string, clientId: string) => readonly [string, string])[] = [
  (user, clientId) => [`user=${user} client-id=${clientId}`, `${user}/${clientId}`],
  (user, clientId) => [`user=${user} client-id=`, `${user}/${clientId}`],
  (user) => [`user=${user}`, `${user}/`],
  (user, clientId) => [`user= client-id=${clientId}`, `${user}/${clientId}`],
  (user, clientId) => [`user= client-id=`, `${user}/${clientId}`],
  (user) => [`user=`, `${user}/`],
  (_user, clientId) => [`client-id=${clientId}`, `/${clientId}`],
  (_user, clientId) => [`client-id=`, `/${clientId}`],
]

describe('the quota that holds', () => {
  const name = fc.constantFrom('a', 'b')
  const entity = fc
    .tuple(fc.option(fc.constantFrom('a', 'b', '')), fc.option(fc.constantFrom('a', 'b', '')))
    .filter(([user, clientId]) => user !== null || clientId !== null)
    .map(([user, clientId]) =>
      [user === null ? '' : `user=${user}`, clientId === null ? '' : `client-id=${clientId}`]
        .join(' ')
        .trim(),
    )

  test.prop([fc.uniqueArray(entity), name, name])(
    'is the first of Kafka’s list',
    (entities, user, clientId) => {
      const quotas = new ClientQuotas()
      entities.forEach((text, index) =>
        quotas.apply({ entity: entityOf(text), key: KEY, value: index + 1, remove: false }),
      )
      const level = LEVELS.map((at) => at(user, clientId)).find(([text]) => entities.includes(text))
      const found = quotas.limitOf(KEY, { user, clientId })
      if (level === undefined) expect(found).toBeUndefined()
      else {
        expect(found?.limit).toBe(entities.indexOf(level[0]) + 1)
        expect(`${found?.user ?? ''}/${found?.clientId ?? ''}`).toBe(level[1])
      }
      for (const text of entities) quotas.apply({ entity: entityOf(text), key: KEY, value: 0, remove: true })
      expect(quotas.isEmpty).toBe(true)
    },
  )

  it('of a client without a name is that of its user', () => {
    const quotas = new ClientQuotas()
    for (const [index, text] of ['client-id=', 'user=a client-id='].entries())
      quotas.apply({ entity: entityOf(text), key: KEY, value: index + 1, remove: false })
    expect(quotas.limitOf(KEY, { user: 'a', clientId: '' })).toBeUndefined()
    quotas.apply({ entity: entityOf('user='), key: KEY, value: 3, remove: false })
    expect(quotas.limitOf(KEY, { user: 'a', clientId: '' })?.limit).toBe(3)
    expect(quotas.limitOf('consumer_byte_rate', { user: 'a', clientId: '' })).toBeUndefined()
  })

  it('is kept by so many clients, and those that were not there for the longest time are forgotten', () => {
    const quotas = new ClientQuotas()
    quotas.apply({ entity: entityOf('client-id='), key: KEY, value: 10, remove: false })
    const clock = new ManualClock()
    const manager = new ClientQuotaManager({ quotas, windows: { samples: 2, windowMs: 1000 }, clock })
    const waitOf = (clientId: string, value: number) => manager.record(KEY, { user: 'u', clientId }, value)
    expect(waitOf('first', 20)).toBe(1000)
    for (let index = 0; index < 9_999; index++) waitOf(`c${index}`, 1)
    expect(waitOf('first', 0)).toBe(1000)
    for (let index = 0; index < 10_000; index++) waitOf(`d${index}`, 1)
    expect(waitOf('first', 0)).toBe(0)
  })
})

describe('quotas', () => {
  it('are set, replaced, removed and described', async () => {
    const broker = await openTestBroker()
    expect(
      await alter(broker, [
        ['user=alice', [set(KEY, 1024), set('request_percentage', 12.5)]],
        ['client-id= user=alice', [set('consumer_byte_rate', 5)]],
        ['client-id=shop', [set(KEY, 7)]],
        ['user=', [set(KEY, 9)]],
      ]),
    ).toEqual([0, 0, 0, 0])
    await alter(broker, [
      ['user=alice', [set(KEY, 2048), remove('request_percentage'), remove('consumer_byte_rate')]],
    ])
    const all = {
      'user=alice': { [KEY]: 2048 },
      'user=alice client-id=': { consumer_byte_rate: 5 },
      'client-id=shop': { [KEY]: 7 },
      'user=': { [KEY]: 9 },
    }
    expect(await described(broker)).toEqual(all)
    const alice = { entityType: 'user', matchType: 0, match: 'alice' }
    expect(Object.keys(await described(broker, [alice]))).toEqual(['user=alice', 'user=alice client-id='])
    expect(Object.keys(await described(broker, [alice], true))).toEqual(['user=alice'])
    const defaultUser = { entityType: 'user', matchType: 1, match: null }
    expect(Object.keys(await described(broker, [defaultUser]))).toEqual(['user='])
    const anyClient = { entityType: 'client-id', matchType: 2, match: null }
    expect(Object.keys(await described(broker, [anyClient]))).toEqual([
      'user=alice client-id=',
      'client-id=shop',
    ])
    expect(await described(broker, [{ entityType: 'ip', matchType: 2, match: null }])).toEqual({})
    await alter(broker, [['user=alice', [remove(KEY)]]])
    expect(Object.keys(await described(broker, [alice], true))).toEqual([])
    await broker.broker.close()
  })

  it('are only checked where that is asked for', async () => {
    const broker = await openTestBroker()
    expect(await alter(broker, [['user=a', [set(KEY, 1)]]], true)).toEqual([0])
    expect(await described(broker)).toEqual({})
    await broker.broker.close()
  })

  it('are there again after a restart', async () => {
    const storage = keptStorage()
    const before = await openTestBroker({}, storage)
    await alter(before, [['user=zoë client-id=', [set(KEY, 1)]]])
    await alter(before, [['user=', [set('request_percentage', 0.5)]]])
    await alter(before, [['user=zoë client-id=', [set(KEY, 2)]]])
    const expected = await described(before)
    await before.broker.close()
    const after = await openTestBroker({}, storage)
    expect(await described(after)).toEqual(expected)
    expect(after.broker.quotas.isEnabled).toBe(true)
    await after.broker.close()
  })

  it.each([
    ['no entity', '', [set(KEY, 1)]],
    ['an address', 'ip=127.0.0.1', [set('connection_creation_rate', 1)]],
    ['an unknown entity', 'team=a', [set(KEY, 1)]],
    ['an entity that is named twice', 'user=a user=b', [set(KEY, 1)]],
    ['a quota that there is not', 'user=a', [set('controller_mutation_rate', 1)]],
    ['a quota of an address', 'user=a', [set('connection_creation_rate', 1)]],
    ['a quota that is named twice', 'user=a', [set(KEY, 1), set(KEY, 2)]],
    ['nothing', 'user=a', [set(KEY, 0)]],
    ['less than nothing', 'user=a', [set('request_percentage', -1)]],
    ['no number', 'user=a', [set('request_percentage', Number.NaN)]],
    ['half a byte', 'user=a', [set(KEY, 1.5)]],
    ['too many bytes', 'user=a', [set(KEY, 1e19)]],
  ])('of %s are refused, and nothing else is', async (_what, entity, ops) => {
    const broker = await openTestBroker()
    expect(
      await alter(broker, [
        [entity, [set('consumer_byte_rate', 1), ...ops]],
        ['user=b', [set(KEY, 1)]],
      ]),
    ).toEqual([INVALID_REQUEST, 0])
    expect(await described(broker)).toEqual({ 'user=b': { [KEY]: 1 } })
    await broker.broker.close()
  })

  it('of an entity that is named twice are not changed', async () => {
    const broker = await openTestBroker()
    const codes = await alter(broker, [
      ['user=a client-id=b', [set(KEY, 1)]],
      ['client-id=b user=a', [set(KEY, 2)]],
    ])
    expect(codes).toEqual([INVALID_REQUEST, INVALID_REQUEST])
    expect(await described(broker)).toEqual({})
    await broker.broker.close()
  })

  it.each([
    ['an unknown entity', [{ entityType: 'team', matchType: 2, match: null }], UNSUPPORTED_VERSION],
    ['a match that there is not', [{ entityType: 'user', matchType: 3, match: null }], INVALID_REQUEST],
    ['a name that is missing', [{ entityType: 'user', matchType: 0, match: null }], INVALID_REQUEST],
    ['a name too many', [{ entityType: 'user', matchType: 1, match: 'a' }], INVALID_REQUEST],
    [
      'an entity twice',
      [
        { entityType: 'user', matchType: 2, match: null },
        { entityType: 'user', matchType: 0, match: 'a' },
      ],
      INVALID_REQUEST,
    ],
    [
      'a user and an address',
      [
        { entityType: 'user', matchType: 2, match: null },
        { entityType: 'ip', matchType: 2, match: null },
      ],
      INVALID_REQUEST,
    ],
  ])('are not described for %s', async (_what, components, code) => {
    const broker = await openTestBroker()
    const { errorCode, entries } = await broker.send(describeClientQuotas, { components, strict: false })
    expect([errorCode, entries]).toEqual([code, null])
    await broker.broker.close()
  })
})
