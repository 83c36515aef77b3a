/** Clients from npm that authenticate: kafkajs and @platformatic/kafka, by every mechanism that they have. */
import { Admin, Producer, stringSerializers } from '@platformatic/kafka'
import { Kafka, logLevel, type SASLOptions as KafkajsSasl } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla, string, type OttlaError } from '../../src/index.js'

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
type Mechanism = (typeof MECHANISMS)[number]

let ottla: Ottla
let broker: string
const refused: OttlaError[] = []

beforeEach(async () => {
  ottla = await Ottla.open()
  refused.length = 0
  const listener = await ottla.listen({
    sasl: {
      plain: { alice: 'wonderland' },
      scram: ['SCRAM-SHA-256', 'SCRAM-SHA-512'],
      oauthbearer: ({ token }) => (token === 'wonderland' ? { principal: 'alice' } : undefined),
      connectionsMaxReauthMs: 60_000,
      connectionFailedAuthenticationDelayMs: 0,
    },
  })
  listener.events.on('clientRefused', ({ error }) => refused.push(error))
  broker = `${listener.host}:${listener.port}`
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)
    await ottla.admin.alterUserScramCredentials([{ user: 'alice', mechanism, password: 'wonderland' }])
  await ottla.createTopic('t', { value: string })
})
afterEach(() => ottla.close())

const kafkajsSasl = (mechanism: Mechanism, password: string): KafkajsSasl => {
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username: 'alice', password }
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username: 'alice', password }
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username: 'alice', password }
    case 'OAUTHBEARER':
      return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: password }) }
  }
}
const kafkajs = (mechanism: Mechanism, password: string): Kafka =>
  new Kafka({
    clientId: 'test',
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    sasl: kafkajsSasl(mechanism, password),
  })

const platformatic = (mechanism: Mechanism, password: string) => ({
  clientId: 'test',
  bootstrapBrokers: [broker],
  retries: 0,
  sasl:
    mechanism === 'OAUTHBEARER' ? { mechanism, token: password } : { mechanism, username: 'alice', password },
})

const values = async (): Promise<unknown[]> => {
  const topic = await ottla.topic('t', { value: string })
  const found: unknown[] = []
  for await (const { value } of topic.partition(0).read({ to: 'latest' })) found.push(value)
  return found
}

describe.each(MECHANISMS)('by %s', (mechanism) => {
  it('kafkajs produces', async () => {
    const producer = kafkajs(mechanism, 'wonderland').producer()
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'from kafkajs' }] })
    await producer.disconnect()
    expect(await values()).toEqual(['from kafkajs'])
    expect(refused).toEqual([])
  })

  it('kafkajs is refused with a wrong password', async () => {
    const producer = kafkajs(mechanism, 'Wonderland').producer()
    await expect(mechanism === 'OAUTHBEARER' ? oauthAttempt(producer) : producer.connect()).rejects.toThrow()
    await producer.disconnect()
    expect(refused.map(({ code }) => code)).toContain(
      mechanism === 'OAUTHBEARER' ? 'ILLEGAL_SASL_STATE' : 'SASL_AUTHENTICATION_FAILED',
    )
  })

  it('@platformatic/kafka produces', async () => {
    const producer = new Producer({
      ...platformatic(mechanism, 'wonderland'),
      serializers: stringSerializers,
    })
    await producer.send({ messages: [{ topic: 't', value: 'from platformatic' }] })
    await producer.close()
    expect(await values()).toEqual(['from platformatic'])
    expect(refused).toEqual([])
  })

  it('@platformatic/kafka is refused with a wrong password', async () => {
    const admin = new Admin(platformatic(mechanism, 'Wonderland'))
    await expect(admin.listTopics()).rejects.toThrow()
    await admin.close()
    expect(refused.length).toBeGreaterThan(0)
  })
})

/** kafkajs takes the status of a bad token for success, and is ended at its first request. */
const oauthAttempt = async (producer: ReturnType<Kafka['producer']>): Promise<void> => {
  await producer.connect()
  await producer.send({ topic: 't', messages: [{ value: 'x' }] })
}
