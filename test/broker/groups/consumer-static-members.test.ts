/** Static members of consumer groups (KIP-345 in KIP-848), subscriptions by expression, and votes for an assignor. */
import { describe, expect, it } from 'vitest'
import { codeOf } from '../../../src/broker/response-errors.js'
import { openTestBroker } from '../../support/test-broker.js'
import { assignedBy, consumerMembersOf } from '../../support/test-consumer-members.js'

const open = async (configs = {}) => {
  const broker = await openTestBroker(configs)
  const orders = await broker.createTopic('orders', 4)
  return { ...broker, orders, ...consumerMembersOf(broker) }
}

describe('a static member', () => {
  const instanceId = 'one'

  it('that leaves for a moment takes its place again under another id, and nobody else notices', async () => {
    const { join, heartbeat, orders, describe: look } = await open()
    await join('a', ['orders'], { instanceId })
    expect(await heartbeat({ memberId: 'a', memberEpoch: -2, instanceId })).toMatchObject({
      errorCode: 0,
      memberId: 'a',
      memberEpoch: -2,
    })
    const back = await join('b', ['orders'], { instanceId })
    expect(back).toMatchObject({ errorCode: 0, memberId: 'b', memberEpoch: 2 })
    expect(assignedBy(back)).toEqual([0, 1, 2, 3].map((index) => `${orders}-${index}`))
    const { groupEpoch, members } = await look()
    expect(groupEpoch).toBe(2)
    expect(members.map(({ memberId }) => memberId)).toEqual(['b'])
    expect(await heartbeat({ memberId: 'a', memberEpoch: 2, instanceId })).toMatchObject({
      errorCode: codeOf('FENCED_INSTANCE_ID'),
      errorMessage: 'Static member a with instance id one was fenced by member b.',
    })
  })

  it('does not let another of its name in while it is there', async () => {
    const { join } = await open()
    await join('a', ['orders'], { instanceId })
    expect(await join('b', ['orders'], { instanceId })).toMatchObject({
      errorCode: codeOf('UNRELEASED_INSTANCE_ID'),
      errorMessage:
        'Static member b with instance id one cannot join the group because the instance id is owned by a member.',
    })
  })

  it('is out when it does not come back within its session', async () => {
    const { join, heartbeat, clock, describe: look } = await open()
    await join('a', ['orders'], { instanceId })
    await heartbeat({ memberId: 'a', memberEpoch: -2, instanceId })
    await clock.advanceAsync(45_000)
    expect(await look()).toMatchObject({ groupState: 'Empty', members: [] })
  })
})

describe('a subscription by expression', () => {
  const regex = { subscribedTopicRegex: 'ord.*' }

  it('means the topics that all of it matches, those that come later too', async () => {
    const { join, heartbeat, createTopic, orders } = await open()
    await createTopic('reorders', 1)
    const first = await join('a', null, regex)
    expect(assignedBy(first)).toEqual([0, 1, 2, 3].map((index) => `${orders}-${index}`))
    const ordinary = await createTopic('ordinary', 1)
    const next = await heartbeat({ memberId: 'a', memberEpoch: first.memberEpoch })
    expect(assignedBy(next)).toContain(`${ordinary}-0`)
    expect(assignedBy(next)).toHaveLength(5)
  })

  it('that is none is refused', async () => {
    const { join } = await open()
    const answer = await join('a', null, { subscribedTopicRegex: '(' })
    expect(answer.errorCode).toBe(codeOf('INVALID_REGULAR_EXPRESSION'))
    expect(answer.errorMessage).toContain('SubscribedTopicRegex `(` is not a valid regular expression: ')
  })

  it.each(['(?=a)b', '(?<!a)b', '(a)\\1'])('knows no more than RE2: %s', async (subscribedTopicRegex) => {
    const { join } = await open()
    const { errorCode } = await join('a', null, { subscribedTopicRegex })
    expect(errorCode).toBe(codeOf('INVALID_REGULAR_EXPRESSION'))
  })

  it('that would take for ever in a matcher that goes back and forth is answered at once', async () => {
    const { join, createTopic } = await open()
    await createTopic('a'.repeat(60), 1)
    expect((await join('a', null, { subscribedTopicRegex: '(a+)+b' })).errorCode).toBe(0)
  })
})

describe('an assignor', () => {
  it('is the one with the most votes', async () => {
    const { join, describe: look } = await open()
    await join('a', ['orders'], { serverAssignor: 'range' })
    expect((await look()).assignorName).toBe('range')
  })

  it('that there is none of is refused', async () => {
    const { join } = await open({ 'group.consumer.assignors': 'range' })
    expect(await join('a', ['orders'], { serverAssignor: 'uniform' })).toMatchObject({
      errorCode: codeOf('UNSUPPORTED_ASSIGNOR'),
      errorMessage: 'ServerAssignor uniform is not supported. Supported assignors: range.',
    })
  })
})

describe('a request that cannot be meant', () => {
  it.each([
    [{ memberId: '', memberEpoch: 2 }, "MemberId can't be empty."],
    [{ memberId: 'a', groupId: ' ' }, "GroupId can't be empty."],
    [{ memberId: 'a', instanceId: '' }, "InstanceId can't be empty."],
    [{ memberId: 'a', rackId: '' }, "RackId can't be empty."],
    [{ memberId: 'a' }, 'RebalanceTimeoutMs must be provided in first request.'],
    [{ memberId: 'a', rebalanceTimeoutMs: 1 }, 'TopicPartitions must be empty when (re-)joining.'],
    [
      { memberId: 'a', rebalanceTimeoutMs: 1, topicPartitions: [] },
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    ],
    [{ memberId: 'a', memberEpoch: -2 }, "InstanceId can't be null."],
    [{ memberId: 'a', memberEpoch: -3 }, 'MemberEpoch is invalid.'],
  ])('%o is refused', async (request, errorMessage) => {
    const { heartbeat } = await open()
    expect(await heartbeat(request)).toMatchObject({ errorCode: codeOf('INVALID_REQUEST'), errorMessage })
  })

  it('is one of a group that is full', async () => {
    const { join } = await open({ 'group.consumer.max.size': '1' })
    await join('a', ['orders'])
    expect(await join('b', ['orders'])).toMatchObject({
      errorCode: codeOf('GROUP_MAX_SIZE_REACHED'),
      errorMessage: 'The consumer group has reached its maximum capacity of 1 members.',
    })
  })

  it('is any when the protocol is not enabled', async () => {
    const { join } = await open({ 'group.coordinator.rebalance.protocols': 'classic' })
    expect((await join('a', ['orders'])).errorCode).toBe(codeOf('UNSUPPORTED_VERSION'))
  })
})
