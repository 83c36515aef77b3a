/** What clients know of the cluster: asked once, believed for a while, forgotten when it proves wrong. */
import { beforeEach, describe, expect, it } from 'vitest'
import { METADATA_MAX_AGE_MS, type Cluster } from '../../../src/clients/cluster.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver, turn } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'
import { ScriptedNetwork } from '../../support/scripted-cluster.js'

let clock: ManualClock
let network: ScriptedNetwork
let cluster: Cluster

beforeEach(() => {
  clock = new ManualClock()
  network = new ScriptedNetwork([1, 2])
  network.addTopic('t', [1, 2])
  ;({ cluster } = contextOver(network, clock))
})

describe('metadata', () => {
  it('is asked for once by all who want it at a time', async () => {
    const [a, b, c] = await Promise.all([cluster.topic('t'), cluster.topic('t'), cluster.leader('t', 1)])
    expect(a).toBe(b)
    expect(c.nodeId).toBe(2)
    expect(network.countOf('Metadata')).toBe(1)
    expect(a.partitions.map(({ leaderId }) => leaderId)).toEqual([1, 2])
  })

  it('is believed for five minutes, as in Kafka', async () => {
    await cluster.topic('t')
    clock.advance(METADATA_MAX_AGE_MS)
    await cluster.topic('t')
    expect(network.countOf('Metadata')).toBe(1)
    clock.advance(1)
    expect(cluster.knownLeader('t', 0)).toBeUndefined()
    await cluster.topic('t')
    expect(network.countOf('Metadata')).toBe(2)
    expect(METADATA_MAX_AGE_MS).toBe(300_000)
  })

  it('is asked for again after it proved wrong', async () => {
    expect((await cluster.leader('t', 0)).nodeId).toBe(1)
    expect(cluster.knownLeader('t', 0)?.nodeId).toBe(1)
    network.topics.get('t')!.leaders = [2, 2]
    expect((await cluster.leader('t', 0)).nodeId).toBe(1)
    cluster.invalidate('t')
    expect(cluster.knownLeader('t', 0)).toBeUndefined()
    expect((await cluster.leader('t', 0)).nodeId).toBe(2)
  })

  it('says at once that a topic or partition is not there', async () => {
    await expect(cluster.topic('nowhere')).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      details: { topic: 'nowhere' },
    })
    await expect(cluster.leader('t', 7)).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      details: { topic: 't', partition: 7 },
    })
    expect(network.countOf('Metadata')).toBe(2)
    // That a topic was not there is not believed for a moment longer.
    network.addTopic('nowhere', [1])
    expect((await cluster.topic('nowhere')).name).toBe('nowhere')
  })

  it('is asked for again while the broker cannot be reached', async () => {
    let failures = 3
    network.overrides.set('Metadata', () =>
      failures-- > 0 ? new OttlaError('NETWORK_EXCEPTION') : undefined,
    )
    const asked = cluster.topic('t')
    await clock.advanceAsync(5000)
    expect((await asked).name).toBe('t')
    expect(network.countOf('Metadata')).toBe(4)
  })

  it('can be waited for by each as long as he likes', async () => {
    network.overrides.set('Metadata', () => new OttlaError('NETWORK_EXCEPTION'))
    const stop = new AbortController()
    const impatient = cluster.topic('t', { signal: stop.signal })
    impatient.catch(() => undefined)
    const patient = cluster.topic('t')
    await turn()
    stop.abort(new Error('enough'))
    await expect(impatient).rejects.toThrow('enough')
    network.overrides.clear()
    await clock.advanceAsync(5000)
    expect((await patient).name).toBe('t')
  })

  it('says that a partition has no leader, and asks anew the next time', async () => {
    network.topics.get('t')!.leaders = [-1, 2]
    await expect(cluster.leader('t', 0)).rejects.toMatchObject({ code: 'LEADER_NOT_AVAILABLE' })
    network.topics.get('t')!.leaders = [2, 2]
    expect((await cluster.leader('t', 0)).nodeId).toBe(2)
  })

  it('takes a leader that is not among the brokers for none, which passes', async () => {
    network.topics.get('t')!.leaders = [9, 2]
    await expect(cluster.leader('t', 0)).rejects.toMatchObject({
      code: 'LEADER_NOT_AVAILABLE',
      retriable: true,
    })
    network.topics.get('t')!.leaders = [2, 2]
    expect((await cluster.leader('t', 0)).nodeId).toBe(2)
  })

  it('asks the network for the way to a leader again after it proved wrong', async () => {
    const before = await cluster.leader('t', 0)
    // The connection breaks: from now on the network has another channel to the same broker.
    await network.close()
    expect((await cluster.leader('t', 0)).channel).toBe(before.channel)
    cluster.invalidate('t')
    expect((await cluster.leader('t', 0)).channel).not.toBe(before.channel)
  })
})

describe('the coordinator of a group', () => {
  const COORDINATOR_NOT_AVAILABLE = 15
  const GROUP_AUTHORIZATION_FAILED = 30
  const answer = (errorCode: number) => ({
    coordinators: [{ key: 'g', nodeId: 2, host: 'h', port: 2, errorCode, errorMessage: null }],
  })

  it('is looked up once, and again when it has moved', async () => {
    const first = await cluster.coordinator('g')
    expect(await cluster.coordinator('g')).toBe(first)
    expect(network.countOf('FindCoordinator')).toBe(1)
    network.overrides.set('FindCoordinator', () => answer(0))
    cluster.invalidateCoordinator('g')
    expect(await cluster.coordinator('g')).not.toBe(first)
  })

  it('is asked for again while it is not available', async () => {
    let failures = 4
    network.overrides.set('FindCoordinator', () => answer(failures-- > 0 ? COORDINATOR_NOT_AVAILABLE : 0))
    const found = cluster.coordinator('g')
    await clock.advanceAsync(10_000)
    await found
    expect(network.countOf('FindCoordinator')).toBe(5)
  })

  it('is given up for good when the error does not pass, or the signal aborts', async () => {
    network.overrides.set('FindCoordinator', () => answer(GROUP_AUTHORIZATION_FAILED))
    await expect(cluster.coordinator('g')).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
    network.overrides.set('FindCoordinator', () => answer(COORDINATOR_NOT_AVAILABLE))
    const stop = new AbortController()
    const waiting = cluster.coordinator('g', { signal: stop.signal })
    waiting.catch(() => undefined)
    await turn()
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(clock.pendingCount).toBe(0)
  })
})
