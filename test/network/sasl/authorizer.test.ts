/** A listener with an authorizer: whoever authenticated is who the ACLs speak of, by SASL, by certificate, by nothing. */
import { readFileSync } from 'node:fs'
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla } from '../../../src/index.js'

const file = (name: string): string => readFileSync(new URL(`../../cli/tls/${name}`, import.meta.url), 'utf8')

/** As openssl writes the subject of client.pem by RFC 2253. */
const CLIENT_NAME = 'CN=client'

let ottla: Ottla
beforeEach(async () => {
  ottla = await Ottla.open()
  await ottla.createTopic('orders')
  await ottla.createTopic('secret')
})
afterEach(() => ottla.close())

const topicsOf = async (port: number, config: Partial<KafkaConfig> = {}): Promise<string[]> => {
  const admin = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    ...config,
  }).admin()
  await admin.connect()
  try {
    return await admin.listTopics()
  } finally {
    await admin.disconnect()
  }
}
const plain = (username: string): Partial<KafkaConfig> => ({
  sasl: { mechanism: 'plain', username, password: 'x' },
})
const allowOrders = (principal: string): Promise<void> =>
  ottla.admin.createAcls([{ resourceType: 'TOPIC', resourceName: 'orders', principal, operation: 'READ' }])

describe('clients', () => {
  it('are known by the name that they authenticated with', async () => {
    await allowOrders('User:alice')
    const { port } = await ottla.listen({
      sasl: { plain: { alice: 'x', bob: 'x', root: 'x' } },
      authorizer: { superUsers: ['User:root'] },
    })
    expect(await topicsOf(port, plain('alice'))).toEqual(['orders'])
    expect(await topicsOf(port, plain('bob'))).toEqual([])
    expect((await topicsOf(port, plain('root'))).sort()).toEqual(['orders', 'secret'])
  })

  it('are known by their certificate', async () => {
    const listener = await ottla.listen({
      tls: {
        cert: file('server.pem'),
        key: file('server-key.pem'),
        ca: file('ca.pem'),
        requireClientCertificate: true,
      },
      authorizer: {},
    })
    const ssl = { ca: [file('ca.pem')], cert: file('client.pem'), key: file('client-key.pem') }
    expect(await topicsOf(listener.port, { ssl })).toEqual([])
    await allowOrders(`User:${CLIENT_NAME}`)
    expect(await topicsOf(listener.port, { ssl })).toEqual(['orders'])
  })

  it('are anonymous otherwise, and have everything where there is no authorizer', async () => {
    const guarded = await ottla.listen({ authorizer: {} })
    expect(await topicsOf(guarded.port)).toEqual([])
    await allowOrders('User:ANONYMOUS')
    expect(await topicsOf(guarded.port)).toEqual(['orders'])
    const open = await ottla.listen()
    expect((await topicsOf(open.port)).sort()).toEqual(['orders', 'secret'])
    // In process nobody is asked.
    expect([...(await ottla.admin.listTopics())].sort()).toEqual(['orders', 'secret'])
  })
})

describe('the admin client', () => {
  it('creates, describes and deletes ACLs', async () => {
    const { admin } = ottla
    await allowOrders('User:alice')
    await admin.createAcls([
      {
        resourceType: 'GROUP',
        resourceName: 'g',
        patternType: 'PREFIXED',
        principal: 'User:*',
        host: '10.0.0.1',
        operation: 'ALL',
        permissionType: 'DENY',
      },
    ])
    const orders = {
      resourceType: 'TOPIC',
      resourceName: 'orders',
      patternType: 'LITERAL',
      principal: 'User:alice',
      host: '*',
      operation: 'READ',
      permissionType: 'ALLOW',
    }
    expect(await admin.describeAcls({ resourceType: 'TOPIC' })).toEqual([orders])
    expect(await admin.describeAcls({ resourceName: 'group', patternType: 'MATCH' })).toHaveLength(1)
    expect(await admin.describeAcls()).toHaveLength(2)
    expect(await admin.deleteAcls([{ principal: 'User:alice' }])).toEqual([orders])
    expect(await admin.describeAcls()).toHaveLength(1)
  })

  it('refuses what cannot be', async () => {
    const binding = {
      resourceType: 'TOPIC',
      resourceName: 't',
      principal: 'User:a',
      operation: 'READ',
    } as const
    const create = (given: object) => ottla.admin.createAcls([{ ...binding, ...given }])
    await expect(create({ operation: 'LOOK' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(create({ principal: 'a' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(create({ resourceName: '' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

describe('the options', () => {
  it.each<[object, string]>([
    [{ superUser: [] }, 'UNKNOWN_OPTION'],
    [{ superUsers: 'User:root' }, 'INVALID_ARGUMENT'],
    [{ superUsers: ['root'] }, 'INVALID_ARGUMENT'],
    [{ allowEveryoneIfNoAclFound: 'yes' }, 'INVALID_ARGUMENT'],
  ])('%o are refused', async (authorizer, code) => {
    await expect(ottla.listen({ authorizer: authorizer })).rejects.toMatchObject({
      code,
    })
  })
})
