/** The disk budget of a broker, and how it tells of itself. */
import { DiskBudget } from '../log/disk-budget.js'
import type { PartitionLog } from '../log/partition-log.js'
import type { Events } from '../runtime/events.js'
import type { BrokerEvents } from './broker-events.js'
import type { BrokerConfigs } from './configs/broker-configs.js'

/** The disk budget, where the configs set one. */
export const diskBudgetOf = (
  configs: BrokerConfigs,
  logs: () => Iterable<PartitionLog>,
  events: Events<BrokerEvents>,
): DiskBudget | undefined => {
  const { 'ottla.disk.max.bytes': maxBytes, 'ottla.disk.policy': policy } = configs
  if (maxBytes < 0) return undefined
  const budget: DiskBudget = new DiskBudget({
    maxBytes,
    policy,
    logs,
    onReached: () => events.emit('diskBudgetReached', { usedBytes: budget.usedBytes, maxBytes, policy }),
    onRelieved: () => events.emit('diskBudgetRelieved', { usedBytes: budget.usedBytes, maxBytes, policy }),
  })
  return budget
}
