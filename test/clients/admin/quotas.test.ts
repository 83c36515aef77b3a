/** Quotas of clients by the admin client. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla } from '../../../src/index.js'

let ottla: Ottla
beforeEach(async () => {
  ottla = await Ottla.open()
})
afterEach(() => ottla.close())

describe('quotas', () => {
  it('are set, described and removed', async () => {
    const { admin } = ottla
    await admin.alterClientQuotas([
      { entity: { user: 'alice' }, ops: [{ key: 'producer_byte_rate', value: 1024 }] },
      { entity: { user: 'alice', 'client-id': null }, ops: [{ key: 'request_percentage', value: 12.5 }] },
      { entity: { 'client-id': 'shop' }, ops: [{ key: 'consumer_byte_rate', value: 7 }] },
    ])
    const alice = { entity: { user: 'alice' }, quotas: { producer_byte_rate: 1024 } }
    const ofAlice = { entity: { user: 'alice', 'client-id': null }, quotas: { request_percentage: 12.5 } }
    const shop = { entity: { 'client-id': 'shop' }, quotas: { consumer_byte_rate: 7 } }
    expect(await admin.describeClientQuotas()).toEqual([alice, ofAlice, shop])
    const components = [{ entityType: 'user', match: 'alice' }] as const
    expect(await admin.describeClientQuotas({ components })).toEqual([alice, ofAlice])
    expect(await admin.describeClientQuotas({ components, strict: true })).toEqual([alice])
    const anyClient = [{ entityType: 'client-id' }] as const
    expect(await admin.describeClientQuotas({ components: anyClient })).toEqual([ofAlice, shop])
    const defaultClient = [{ entityType: 'client-id', match: null }] as const
    expect(await admin.describeClientQuotas({ components: defaultClient })).toEqual([ofAlice])
    await admin.alterClientQuotas([
      { entity: { user: 'alice' }, ops: [{ key: 'producer_byte_rate', value: null }] },
    ])
    expect(await admin.describeClientQuotas({ components })).toEqual([ofAlice])
  })

  it('that cannot be are refused by the name of their entity, and the others stay', async () => {
    const { admin } = ottla
    const alterations = [
      { entity: { user: 'alice' }, ops: [{ key: 'producer_byte_rate', value: -1 }] },
      { entity: { user: null }, ops: [{ key: 'producer_byte_rate', value: 5 }] },
    ] as const
    await expect(admin.alterClientQuotas(alterations)).rejects.toMatchObject({
      code: 'ITEMS_FAILED',
      details: { succeeded: new Map([['user <default>', 'user <default>']]) },
    })
    expect(await admin.describeClientQuotas()).toEqual([
      { entity: { user: null }, quotas: { producer_byte_rate: 5 } },
    ])
    await expect(admin.alterClientQuotas([alterations[0]])).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })

  it('are only checked with validateOnly', async () => {
    const alteration = { entity: { user: 'a' }, ops: [{ key: 'producer_byte_rate', value: 5 }] } as const
    await ottla.admin.alterClientQuotas([alteration], { validateOnly: true })
    expect(await ottla.admin.describeClientQuotas()).toEqual([])
  })

  it('do not hold a client in this process back', async () => {
    const entity = { user: null }
    const ops = [{ key: 'producer_byte_rate', value: 1 }] as const
    await ottla.admin.alterClientQuotas([{ entity, ops }])
    const topic = await ottla.createTopic('t')
    const producer = ottla.producer()
    for (let count = 0; count < 100; count++) await producer.send(topic, { value: new Uint8Array(1000) })
    await producer.close()
  })
})
