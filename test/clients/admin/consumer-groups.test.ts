/** What an admin is told of groups of the consumer protocol (KIP-848). */
import { expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { contextOver } from '../../support/client-context.js'
import { openTestBroker } from '../../support/test-broker.js'
import { consumerMembersOf } from '../../support/test-consumer-members.js'

it('is told the epochs, the members, and what each has and is to have', async () => {
  const test = await openTestBroker()
  const network = new DirectNetwork(test.broker, { clock: test.clock, clientId: 'app' })
  const admin = new Admin(contextOver(network, test.clock))
  await test.createTopic('orders', 2)
  const { join, heartbeat } = consumerMembersOf(test)
  await join('a', ['orders'], { instanceId: 'one', rackId: 'north' })
  await join('b', null, { subscribedTopicRegex: 'ord.*' })
  await heartbeat({ memberId: 'a', memberEpoch: 2, instanceId: 'one' })
  const [group] = await admin.describeConsumerGroups(['billing'])
  expect(group).toMatchObject({
    groupId: 'billing',
    state: 'Reconciling',
    epoch: 3,
    assignmentEpoch: 3,
    assignor: 'uniform',
  })
  const known = { clientId: 'test', clientHost: '/127.0.0.1', protocol: 'consumer' }
  const both = [0, 1].map((partition) => ({ topic: 'orders', partition }))
  const [first, second] = group!.members
  // It was told to give one of them up, and has not said that it did.
  expect(first).toMatchObject({ ...known, memberId: 'a', groupInstanceId: 'one', rackId: 'north', epoch: 2 })
  expect([...first!.assignment].sort((left, right) => left.partition - right.partition)).toEqual(both)
  expect(second).toMatchObject({ ...known, memberId: 'b', groupInstanceId: null, rackId: null, epoch: 3 })
  expect(second).toMatchObject({ topics: [], topicRegex: 'ord.*', assignment: [] })
  expect([...first!.targetAssignment, ...second!.targetAssignment]).toHaveLength(2)
  expect(await admin.listGroups({ types: ['consumer'], states: ['Reconciling'] })).toEqual([
    { groupId: 'billing', type: 'consumer', protocolType: 'consumer', state: 'Reconciling' },
  ])
  expect(await admin.describeGroups(['billing'])).toMatchObject([{ state: 'Dead' }])
  await expect(admin.describeConsumerGroups(['nobody'])).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
  await test.broker.close()
})
