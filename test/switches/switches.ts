/** All switches, by what they break. */
import { compactionSwitches } from './compaction.js'
import { groupsSwitches } from './groups.js'
import { logSwitches } from './log.js'
import { producersSwitches } from './producers.js'
import { retentionSwitches } from './retention.js'
import { nameOf, type Switch } from './switch.js'
import { transactionsSwitches } from './transactions.js'

export const SWITCHES: readonly Switch[] = [
  ...logSwitches,
  ...producersSwitches,
  ...compactionSwitches,
  ...retentionSwitches,
  ...transactionsSwitches,
  ...groupsSwitches,
]

/** @throws Error when no switch has this name. */
export const switchNamed = (name: string): Switch => {
  const found = SWITCHES.find((one) => nameOf(one) === name)
  if (found === undefined) throw new Error(`no switch is called ${name}`)
  return found
}
