/** The assignors of consumer groups: every partition to one subscriber, evenly, and as before where that can be. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { AssignmentMember, Assignor } from '../../../src/broker/groups/consumer/assignors/assignor.js'
import { assignRange } from '../../../src/broker/groups/consumer/assignors/range.js'
import { assignUniform } from '../../../src/broker/groups/consumer/assignors/uniform.js'

const NAMES = ['t0', 't1', 't2', 't3']
const sizes = fc.array(fc.nat({ max: 12 }), { minLength: NAMES.length, maxLength: NAMES.length })
const subscriptions = fc.array(fc.subarray(NAMES, { minLength: 1 }), { minLength: 1, maxLength: 7 })

const membersOf = (topics: readonly (readonly string[])[]): AssignmentMember[] =>
  topics.map((names, index) => ({
    memberId: `m${index}`,
    instanceId: null,
    topicIds: new Set(names),
    target: new Map(),
  }))
const countOf = (counts: readonly number[]) => (topicId: string) => counts[NAMES.indexOf(topicId)] ?? 0

/** Who is to have what, as `topic-partition` to member; fails when two are to have the same. */
const ownersOf = (targets: ReturnType<Assignor>): Map<string, string> => {
  const owners = new Map<string, string>()
  for (const [memberId, topics] of targets) {
    for (const [topicId, partitions] of topics) {
      for (const partition of partitions) {
        expect(owners.has(`${topicId}-${partition}`)).toBe(false)
        owners.set(`${topicId}-${partition}`, memberId)
      }
    }
  }
  return owners
}
const sizesOf = (members: readonly AssignmentMember[], owners: ReadonlyMap<string, string>): number[] =>
  members.map(({ memberId }) => [...owners.values()].filter((owner) => owner === memberId).length)

describe.each([
  ['uniform', assignUniform],
  ['range', assignRange],
])('%s', (_name, assign) => {
  test.prop([subscriptions, sizes])('gives every partition to one of its subscribers', (topics, counts) => {
    const members = membersOf(topics)
    const owners = ownersOf(assign(members, countOf(counts)))
    const subscribed = NAMES.filter((name) => topics.some((names) => names.includes(name)))
    expect(owners.size).toBe(subscribed.reduce((sum, name) => sum + countOf(counts)(name), 0))
    for (const [partition, owner] of owners) {
      const member = members.find(({ memberId }) => memberId === owner)
      expect(member?.topicIds.has(partition.split('-')[0]!)).toBe(true)
    }
  })
})

describe('uniform', () => {
  test.prop([subscriptions, sizes])('leaves nothing that could go to one with two less', (topics, counts) => {
    const members = membersOf(topics)
    const owners = ownersOf(assignUniform(members, countOf(counts)))
    const shares = sizesOf(members, owners)
    for (const [partition, owner] of owners) {
      const has = shares[members.findIndex(({ memberId }) => memberId === owner)]!
      members.forEach(({ topicIds }, index) => {
        if (topicIds.has(partition.split('-')[0]!)) expect(has - shares[index]!).toBeLessThanOrEqual(1)
      })
    }
  })

  test.prop([fc.integer({ min: 1, max: 8 }), sizes, fc.nat({ max: 7 })])(
    'moves no more than it must when one leaves or joins',
    (count, counts, gone) => {
      const before = membersOf(Array.from({ length: count }, () => NAMES))
      const first = assignUniform(before, countOf(counts))
      const known = before.map((member) => ({ ...member, target: first.get(member.memberId)! }))
      const total = counts.reduce((sum, size) => sum + size, 0)
      const newcomer = { ...before[0]!, memberId: 'new', target: new Map() }
      for (const after of [known.filter((_, index) => index !== gone % count), [...known, newcomer]]) {
        if (after.length === 0) continue
        const owners = ownersOf(assignUniform(after, countOf(counts)))
        const shares = sizesOf(after, owners)
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
        const kept = [...ownersOf(first)].filter(
          ([partition, owner]) => owners.get(partition) === owner,
        ).length
        // What one that left had must move; what one that came is to have, and no more.
        const mustMove =
          after.length < count
            ? total - sizesOf(after, ownersOf(first)).reduce((sum, size) => sum + size, 0)
            : Math.floor(total / after.length)
        expect(total - kept).toBe(mustMove)
      }
    },
  )
})

describe('range', () => {
  it("gives rows of neighbours in the order of the members' ids, static ones by their names first", () => {
    const [first, second, third] = membersOf([
      ['t0', 't1'],
      ['t0', 't1'],
      ['t0', 't1'],
    ])
    const members = [first!, second!, { ...third!, instanceId: 'x' }]
    const targets = assignRange(members, (topicId) => (topicId === 't0' ? 7 : 2))
    const rows = (memberId: string) => [...targets.get(memberId)!].map(([name, row]) => [name, ...row])
    expect(rows('m2')).toEqual([
      ['t0', 0, 1, 2],
      ['t1', 0],
    ])
    expect(rows('m0')).toEqual([
      ['t0', 3, 4],
      ['t1', 1],
    ])
    expect(rows('m1')).toEqual([['t0', 5, 6]])
  })
})
