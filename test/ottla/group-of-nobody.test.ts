/** A group whose last member leaves while another is on its way in: the newcomer finds nobody it could disagree with. */
import { expect, it } from 'vitest'
import { openTestBroker } from '../support/test-broker.js'
import { membersOf } from '../support/test-members.js'

it('takes in the one who is on its way, as Kafka does, when all others have left meanwhile', async () => {
  const test = await openTestBroker({ 'group.initial.rebalance.delay.ms': 3000 })
  const { join, newId, leave } = membersOf(test)
  const firstId = await newId()
  const first = join(firstId)
  const secondId = await newId()
  await leave(firstId)
  const second = join(secondId)
  // Long enough for the initial delay, and for one that was prolonged.
  await test.clock.advanceAsync(3000)
  await test.clock.advanceAsync(3000)
  expect(await second).toMatchObject({ errorCode: 0, leader: secondId, protocolName: 'range' })
  await test.broker.close()
  await first.catch(() => undefined)
})
