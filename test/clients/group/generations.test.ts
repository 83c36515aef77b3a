/** A member against a coordinator that answers as the test says: errors, generations that are missed, and leaving. */
import { afterEach, describe, expect, it } from 'vitest'
import { Membership } from '../../../src/clients/group/membership.js'
import type { MembershipListener } from '../../../src/clients/group/membership-listener.js'
import { rangeAssignor } from '../../../src/clients/group/range-assignor.js'
import { partitionName, type TopicPartition } from '../../../src/clients/message.js'
import type { Channel, Network } from '../../../src/protocol/channel.js'
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/protocol/consumer-protocol.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { contextOver } from '../../support/client-context.js'
import { ManualClock } from '../../support/manual-clock.js'

const KAFKA = {
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  NOT_COORDINATOR: 16,
  ILLEGAL_GENERATION: 22,
  UNKNOWN_MEMBER_ID: 25,
  REBALANCE_IN_PROGRESS: 27,
  GROUP_AUTHORIZATION_FAILED: 30,
  MEMBER_ID_REQUIRED: 79,
}

type Answer = Record<string, unknown>

/** Answers each API with the next of what it was given, or as usual. */
class ScriptedCoordinator implements Network {
  readonly script = new Map<string, (number | Error)[]>()
  readonly calls: string[] = []
  readonly requests: { readonly api: string; readonly request: Answer }[] = []
  generation = 0
  /** Whether the member leads, and how many partitions it finds that the topic has. */
  isLeader = false
  partitionCount = 1

  next(api: string, ...answers: (number | Error)[]): void {
    this.script.set(api, [...(this.script.get(api) ?? []), ...answers])
  }

  async bootstrap(): Promise<Channel> {
    return {
      send: async (api, request) => {
        this.calls.push(api.name)
        this.requests.push({ api: api.name, request: request })
        const scripted = this.script.get(api.name)?.shift()
        if (scripted instanceof Error) throw scripted
        return this.#answer(api.name, request, scripted ?? 0) as never
      },
    }
  }

  to(): Promise<Channel> {
    return this.bootstrap()
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }

  #partitions(): Answer[] {
    return Array.from({ length: this.partitionCount }, (_, partitionIndex) => ({
      partitionIndex,
      leaderId: 1,
      leaderEpoch: 0,
      replicaNodes: [1],
      isrNodes: [1],
    }))
  }

  #answer(api: string, request: Answer, errorCode: number): Answer {
    switch (api) {
      case 'FindCoordinator':
        return { coordinators: [{ key: 'g', nodeId: 1, host: 'h', port: 1, errorCode, errorMessage: null }] }
      case 'JoinGroup': {
        if (request.memberId === '' && errorCode === 0)
          return { errorCode: KAFKA.MEMBER_ID_REQUIRED, memberId: `member-${this.calls.length}` }
        if (errorCode === 0) this.generation++
        const { generation: generationId } = this
        return {
          errorCode,
          generationId,
          protocolName: 'range',
          leader: this.isLeader ? request.memberId : 'someone else',
          memberId: request.memberId,
          members: this.isLeader ? [{ memberId: request.memberId, metadata: SUBSCRIPTION }] : [],
        }
      }
      case 'SyncGroup': {
        const assignedPartitions = [{ topic: 'orders', partitions: [0] }]
        return { errorCode, assignment: encodeAssignment({ assignedPartitions, userData: null }) }
      }
      case 'Metadata':
        return {
          brokers: [],
          topics: [{ errorCode: 0, name: 'orders', topicId: 'id', partitions: this.#partitions() }],
        }
      case 'LeaveGroup':
        return { errorCode, members: [] }
      default:
        return { errorCode }
    }
  }
}

const SUBSCRIPTION = encodeSubscription({
  topics: ['orders'],
  userData: null,
  ownedPartitions: [],
  generationId: -1,
  rackId: null,
})

const open: Membership[] = []
afterEach(async () => {
  for (const membership of open.splice(0)) await membership.leave('the test is over')
})

const member = async (prepare: (coordinator: ScriptedCoordinator) => void = () => undefined) => {
  const coordinator = new ScriptedCoordinator()
  prepare(coordinator)
  const clock = new ManualClock()
  const events: string[] = []
  const names = (partitions: readonly TopicPartition[]): string => partitions.map(partitionName).join()
  const listener: MembershipListener = {
    revoked: async (partitions) => void events.push(`revoked ${names(partitions)}`),
    rejoining: () => undefined,
    lost: (partitions) => void events.push(`lost ${names(partitions)}`),
    assigned: async (partitions, isContinuous) =>
      void events.push(`assigned ${names(partitions)}${isContinuous ? ', continuous' : ''}`),
    heartbeat: () => undefined,
    failed: (error) => void events.push(`failed ${(error as OttlaError).code}`),
  }
  const membership = new Membership(
    contextOver(coordinator, clock),
    {
      groupId: 'g',
      topics: ['orders'],
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
      heartbeatIntervalMs: 1000,
      partitionAssigners: [rangeAssignor],
      backoff: { retryBackoffMs: 100, retryBackoffMaxMs: 1000 },
    },
    listener,
  )
  open.push(membership)
  const joining = membership.join()
  joining.catch(() => undefined)
  await clock.advanceAsync(2000)
  return { membership, coordinator, clock, events, joining }
}

describe('a member', () => {
  it('joins with the id that it is given', async () => {
    const { coordinator, events, joining, membership } = await member()
    await joining
    expect(events).toEqual(['assigned orders-0'])
    const joins = coordinator.requests
      .filter(({ api }) => api === 'JoinGroup')
      .map(({ request }) => request.memberId)
    expect(joins).toEqual(['', membership.memberId])
    expect(membership.generation).toBe(1)
  })

  it('keeps what it has through a rebalance that follows at once', async () => {
    const { coordinator, clock, events } = await member()
    coordinator.next('Heartbeat', KAFKA.REBALANCE_IN_PROGRESS)
    await clock.advanceAsync(1000)
    expect(events).toEqual(['assigned orders-0', 'revoked orders-0', 'assigned orders-0, continuous'])
  })

  it('does not take for granted what it had before a generation that it missed', async () => {
    const { coordinator, clock, events } = await member()
    coordinator.next('Heartbeat', KAFKA.REBALANCE_IN_PROGRESS)
    coordinator.next('SyncGroup', KAFKA.REBALANCE_IN_PROGRESS)
    await clock.advanceAsync(1000)
    expect(coordinator.generation).toBe(3)
    expect(events).toEqual(['assigned orders-0', 'revoked orders-0', 'assigned orders-0'])
  })

  it.each([['UNKNOWN_MEMBER_ID' as const], ['ILLEGAL_GENERATION' as const]])(
    'loses everything when a heartbeat says %s, and joins again',
    async (code) => {
      const { coordinator, clock, events } = await member()
      coordinator.next('Heartbeat', KAFKA[code])
      await clock.advanceAsync(1000)
      expect(events).toEqual(['assigned orders-0', 'lost orders-0', 'assigned orders-0'])
    },
  )

  it('gets a new id when the old one is not known any more', async () => {
    const { coordinator, clock, events, membership } = await member()
    const before = membership.memberId
    coordinator.next('Heartbeat', KAFKA.REBALANCE_IN_PROGRESS)
    coordinator.next('JoinGroup', KAFKA.UNKNOWN_MEMBER_ID)
    await clock.advanceAsync(1000)
    expect(events).toEqual(['assigned orders-0', 'revoked orders-0', 'assigned orders-0'])
    expect(membership.memberId).not.toBe(before)
  })

  it('finds its coordinator again, and stays a member meanwhile', async () => {
    const { coordinator, clock, events } = await member()
    const lookups = (): number => coordinator.calls.filter((api) => api === 'FindCoordinator').length
    expect(lookups()).toBe(1)
    coordinator.next('Heartbeat', KAFKA.NOT_COORDINATOR, new OttlaError('NETWORK_EXCEPTION'))
    await clock.advanceAsync(3000)
    expect(lookups()).toBe(3)
    expect(events).toEqual(['assigned orders-0'])
  })

  it('waits for a coordinator that is not ready', async () => {
    const { events, joining } = await member((coordinator) => {
      coordinator.next('FindCoordinator', 15, 15)
      coordinator.next('JoinGroup', KAFKA.COORDINATOR_LOAD_IN_PROGRESS, KAFKA.NOT_COORDINATOR)
      coordinator.next('SyncGroup', new OttlaError('NETWORK_EXCEPTION'))
    })
    await joining
    expect(events).toEqual(['assigned orders-0'])
  })

  it('fails for good when it may not be in the group', async () => {
    const refused = await member((coordinator) =>
      coordinator.next('JoinGroup', KAFKA.GROUP_AUTHORIZATION_FAILED),
    )
    await expect(refused.joining).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
    expect(refused.events).toEqual(['failed GROUP_AUTHORIZATION_FAILED'])

    const thrownOut = await member()
    thrownOut.coordinator.next('Heartbeat', KAFKA.GROUP_AUTHORIZATION_FAILED)
    await thrownOut.clock.advanceAsync(2000)
    expect(thrownOut.events).toEqual([
      'assigned orders-0',
      'lost orders-0',
      'failed GROUP_AUTHORIZATION_FAILED',
    ])
    expect(thrownOut.clock.pendingCount).toBe(0)
  })

  it('leaves with its id, whatever the coordinator says to that, and has no deadlines left', async () => {
    const { coordinator, clock, membership } = await member()
    const { memberId } = membership
    coordinator.next('LeaveGroup', new OttlaError('NETWORK_EXCEPTION'))
    await membership.leave('enough')
    await membership.leave('enough')
    const leaving = coordinator.requests.filter(({ api }) => api === 'LeaveGroup')
    expect(leaving.map(({ request }) => request.members)).toEqual([
      [{ memberId, groupInstanceId: null, reason: 'enough' }],
    ])
    expect(clock.pendingCount).toBe(0)
  })

  it('does not commit while it is between two generations', async () => {
    const { coordinator, clock, membership } = await member()
    coordinator.next('Heartbeat', KAFKA.UNKNOWN_MEMBER_ID)
    coordinator.next('JoinGroup', ...Array.from({ length: 50 }, () => KAFKA.COORDINATOR_LOAD_IN_PROGRESS))
    await clock.advanceAsync(1000)
    await expect(membership.commit([{ topic: 'orders', partition: 0, offset: 1 }])).rejects.toMatchObject({
      code: 'REBALANCE_IN_PROGRESS',
    })
    expect(coordinator.calls).not.toContain('OffsetCommit')
  })

  it('that leads shares anew when it finds that there are more partitions', async () => {
    const { coordinator, clock, events } = await member((scripted) => (scripted.isLeader = true))
    coordinator.partitionCount = 2
    await clock.advanceAsync(290_000)
    expect(events).toEqual(['assigned orders-0'])
    await clock.advanceAsync(20_000)
    expect(events).toEqual(['assigned orders-0', 'revoked orders-0', 'assigned orders-0, continuous'])
    const shared = coordinator.requests.filter(({ api }) => api === 'SyncGroup').at(-1)!.request
    const [own] = shared.assignments as { assignment: Uint8Array }[]
    expect(decodeAssignment(own!.assignment).assignedPartitions).toEqual([
      { topic: 'orders', partitions: [0, 1] },
    ])
    await clock.advanceAsync(1_000_000)
    expect(events).toHaveLength(3)
  })

  it('heartbeats more often at first, then at the interval', async () => {
    const { coordinator, clock } = await member()
    const beats = (): number => coordinator.calls.filter((api) => api === 'Heartbeat').length
    // 25, 75, 175, 375, 775, 1575 ms.
    expect(beats()).toBe(6)
    await clock.advanceAsync(10_000)
    expect(beats()).toBe(16)
  })
})
