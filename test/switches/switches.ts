/** All switches, by what they break. */
import { compactionSwitches } from './compaction.js'
import { logSwitches } from './log.js'
import { producersSwitches } from './producers.js'
import { retentionSwitches } from './retention.js'
import { nameOf, type Switch } from './switch.js'

export const SWITCHES: readonly Switch[] = [
  ...logSwitches,
  ...producersSwitches,
  ...compactionSwitches,
  ...retentionSwitches,
]

/** @throws Error when no switch has this name. */
export const switchNamed = (name: string): Switch => {
  const found = SWITCHES.find((one) => nameOf(one) === name)
  if (found === undefined) throw new Error(`no switch is called ${name}`)
  return found
}
