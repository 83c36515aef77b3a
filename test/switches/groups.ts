/** Switches that break groups: G1 to G4. */
import type { Switch } from './switch.js'

const TESTS = ['test/broker/groups.test.ts']

export const groupsSwitches: readonly Switch[] = [
  {
    rule: 'G1',
    breaks: 'a member that is not heard of keeps its partitions',
    file: 'src/broker/groups/classic/rebalancer.ts',
    find: '    this.removeMember(group, member)\n',
    replace: '    group.pendingSyncs.clear()\n',
    tests: TESTS,
  },
  {
    rule: 'G1',
    breaks: 'new partitions have no owner',
    file: 'src/broker/groups/group-coordinator.ts',
    find: "events.on('partitionsAdded', ({ topic }) => this.#rebalanceSubscribers(topic))",
    replace: 'void 0',
    tests: TESTS,
  },
  {
    rule: 'G2',
    breaks: 'a member of another generation goes on',
    file: 'src/broker/groups/classic/membership.ts',
    find: "return generation === group.generation ? undefined : 'ILLEGAL_GENERATION'",
    replace: 'return undefined',
    tests: TESTS,
  },
  {
    rule: 'G2',
    breaks: 'commits during a rebalance count',
    file: 'src/broker/groups/classic/membership.ts',
    find: "(group.state === 'CompletingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined)",
    replace: 'undefined',
    tests: TESTS,
  },
  {
    rule: 'G3',
    breaks: 'a commit is acknowledged and not written',
    file: 'src/broker/groups/offsets-partition.ts',
    find: 'const baseOffset = await this.#append(records, producer)',
    replace: 'const baseOffset = await Promise.resolve(producer === undefined ? records.length : 0)',
    tests: TESTS,
  },
  {
    rule: 'G4',
    breaks: 'an assignment before all have joined',
    file: 'src/broker/groups/classic/classic-group.ts',
    find: 'return this.pendingMembers.size === 0 && this',
    replace: 'return this',
    tests: TESTS,
  },
]
