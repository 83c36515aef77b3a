/** Switches that break groups: G1 to G4. */
import type { Switch } from './switch.js'

const TESTS = ['test/broker/groups.test.ts']
/** Of groups in which the broker decides. */
const CONSUMER_TESTS = ['test/broker/groups/consumer-groups.test.ts']

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
  {
    rule: 'G1',
    breaks: 'a consumer group gives a partition before its last owner gave it up',
    file: 'src/broker/groups/consumer/reconcile.ts',
    find: 'hasPartition(target.owned, topicId, partition) && !isOwn',
    replace: 'target.epoch < 0 && !isOwn',
    tests: CONSUMER_TESTS,
  },
  {
    rule: 'G1',
    breaks: 'a member of a consumer group that is not heard of keeps its partitions',
    file: 'src/broker/groups/consumer/group-changes.ts',
    find: 'if (group.timers.isCurrent(memberId, kind, timer)) await',
    replace: 'if (memberId === kind) await',
    tests: CONSUMER_TESTS,
  },
  {
    rule: 'G1',
    breaks: 'a consumer group does not notice topics that come and grow',
    file: 'src/broker/groups/group-coordinator.ts',
    find: 'group.isMetadataExpired = true',
    replace: 'void 0',
    tests: CONSUMER_TESTS,
  },
  {
    rule: 'G2',
    breaks: 'a member of another epoch goes on',
    file: 'src/broker/groups/consumer/heartbeat.ts',
    find: '  checkEpoch(member, memberEpoch, told)\n',
    replace: '  checkEpoch(member, member.current.memberEpoch, told)\n',
    tests: CONSUMER_TESTS,
  },
  {
    rule: 'G2',
    breaks: 'commits in another epoch count',
    file: 'src/broker/groups/consumer/consumer-group.ts',
    find: 'if (generation === memberEpoch) return',
    replace: 'if (generation > 0) return',
    tests: ['test/broker/groups/consumer-offsets.test.ts'],
  },
  {
    rule: 'G4',
    breaks: 'a heartbeat is answered before what it changed is written',
    file: 'src/broker/groups/consumer/group-changes.ts',
    find: 'if (records.length > 0) await partition.write(records)',
    replace: 'void records',
    tests: ['test/broker/groups/consumer-offsets.test.ts'],
  },
]
