/**
 * The suite `groups`: 200 consumers in 20 groups that come, go, stall and die at random, for as many simulated minutes as
 * there are rounds.
 */
import { simulate } from '../simulation/groups/hour.js'
import type { Suite } from '../support/suite-command.js'

const GROUPS = 20
const MEMBERS = 10

/** One stretch of time, whatever the storage: groups know nothing of it. */
export const groups: Suite = {
  name: 'groups',
  summary:
    'no partition has two owners, none is without one for long, and no record is lost, for simulated minutes',
  defaultRounds: 60,
  async run({ rounds, seed, check }) {
    await check(
      `${GROUPS * MEMBERS} consumers in ${GROUPS} groups, ${rounds} simulated minutes`,
      async () => {
        const outcome = await simulate({ seed, minutes: rounds, groupCount: GROUPS, memberCount: MEMBERS })
        return Object.entries(outcome)
          .map(([name, count]) => `${count} ${name}`)
          .join(', ')
      },
    )
  },
}
