/** The direct channel: what it hands to the broker, and how waiting on it ends. */
import { describe, expect, it } from 'vitest'
import { DirectNetwork } from '../../src/network/direct.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import { produce } from '../../src/protocol/api/produce.js'
import { batchOf, openTestBroker } from '../support/test-broker.js'

const connect = async () => {
  const test = await openTestBroker()
  const network = new DirectNetwork(test.broker, { clock: test.clock, clientId: 'app' })
  const topicId = await test.createTopic('orders')
  const fetchRequest = {
    replicaId: -1,
    maxWaitMs: 60_000,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: '',
        topicId,
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: -1,
            fetchOffset: 0,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 1 << 20,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }
  return { test, network, topicId, fetchRequest, channel: await network.bootstrap() }
}

describe('the direct network', () => {
  it('is one channel to the one broker', async () => {
    const { test, network, channel } = await connect()
    expect(await network.to({ nodeId: 1, host: 'any', port: 0 })).toBe(channel)
    await expect(network.to({ nodeId: 2, host: 'any', port: 0 })).rejects.toMatchObject({
      code: 'BROKER_NOT_AVAILABLE',
    })
    await test.broker.close()
  })

  it('lets requests take effect in the order of the calls', async () => {
    const { test, channel, topicId } = await connect()
    const sends = Array.from({ length: 20 }, (_, index) =>
      channel.send(produce, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 1,
        topicData: [
          {
            name: '',
            topicId,
            partitionData: [{ index: 0, records: [batchOf([String(index)], test.clock.now())] }],
          },
        ],
      }),
    )
    const offsets = (await Promise.all(sends)).map(
      (answer) => answer.responses[0]!.partitionResponses[0]!.baseOffset,
    )
    expect(offsets).toEqual(Array.from({ length: 20 }, (_, index) => index))
    await test.broker.close()
  })

  it('stops waiting when the signal aborts, also before the call', async () => {
    const { test, channel, fetchRequest } = await connect()
    const abort = new AbortController()
    const waiting = channel.send(fetch, fetchRequest, { signal: abort.signal })
    await new Promise(setImmediate)
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(channel.send(fetch, fetchRequest, { signal: abort.signal })).rejects.toThrow('enough')
    expect(test.clock.keepsAlive).toBe(false)
    await test.broker.close()
  })

  it('refuses everything after close', async () => {
    const { test, network, channel, fetchRequest } = await connect()
    await network.close()
    await expect(channel.send(fetch, fetchRequest)).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await test.broker.close()
  })
})
