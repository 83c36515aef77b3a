/**
 * The sticky assignors beside Kafka's own, and beside what they are for: as even as possible, nothing assigned twice,
 * and as much kept as that allows.
 */
import { fc, test } from '@fast-check/vitest'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AssignableMember, Assignor } from '../../../src/clients/group/assignor.js'
import { cooperativeStickyAssignor } from '../../../src/clients/group/cooperative-sticky-assignor.js'
import { stickyAssignor } from '../../../src/clients/group/sticky-assignor.js'
import { partitionName, type TopicPartition } from '../../../src/clients/message.js'
import { decodeStickyUserData } from '../../../src/protocol/sticky-user-data.js'

type Named = Record<string, string[]>

interface Case {
  readonly partitionCounts: Record<string, number>
  readonly topics: Named
  readonly owned: Named
  readonly userData: Record<string, string>
  readonly cooperativeUserData: Record<string, string>
  readonly sticky: Named
  readonly 'cooperative-sticky': Named
}

const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/assignors/sticky-assignments.json', import.meta.url), 'utf8'),
) as readonly Case[]

const fromName = (name: string): TopicPartition => {
  const dash = name.lastIndexOf('-')
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}
const hexOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex')
const namesOf = (assignment: ReadonlyMap<string, readonly TopicPartition[]>): Named =>
  Object.fromEntries([...assignment].map(([id, partitions]) => [id, partitions.map(partitionName).sort()]))

const squares = (assignment: Named): number =>
  Object.values(assignment).reduce((sum, { length }) => sum + length * length, 0)
const keptOf = (assignment: Named, owned: Named): number =>
  Object.entries(assignment).reduce(
    (sum, [id, names]) => sum + names.filter((name) => owned[id]?.includes(name)).length,
    0,
  )
const isSame = ({ topics }: Case): boolean =>
  new Set(Object.values(topics).map((each) => [...each].sort().join())).size === 1

const membersOf = (
  { topics, owned, userData, cooperativeUserData }: Case,
  isCooperative: boolean,
): AssignableMember[] =>
  Object.entries(topics).map(([memberId, subscribed]) => ({
    memberId,
    groupInstanceId: null,
    topics: subscribed,
    ownedPartitions: isCooperative ? (owned[memberId] ?? []).map(fromName) : [],
    generation: isCooperative ? -1 : 5,
    userData: Buffer.from((isCooperative ? cooperativeUserData : userData)[memberId] ?? '', 'hex'),
  }))

const assign = (assignor: Assignor, given: Case): Named =>
  namesOf(
    assignor.assign({
      members: membersOf(given, assignor === cooperativeStickyAssignor),
      partitionCounts: new Map(Object.entries(given.partitionCounts)),
    }),
  )

describe("beside Kafka's", () => {
  const numbered = cases.map((given, index) => [index, given] as const)

  it.each(numbered)(
    'tells the leader the same bytes, group %i',
    (_, { owned, userData, cooperativeUserData }) => {
      for (const [id, names] of Object.entries(owned)) {
        const last = { partitions: names.map(fromName), generation: 5 }
        const bytes = Buffer.from(userData[id] ?? '', 'hex')
        const read = decodeStickyUserData(bytes)
        const flat = read.owned.flatMap(({ topic, partitions }) => partitions.map((p) => `${topic}-${p}`))
        expect({ ...read, owned: flat.sort() }).toEqual({ generation: 5, owned: names })
        // Kafka writes topics in the order of a hash table.
        if (read.owned.length < 2) {
          expect(hexOf(stickyAssignor.userData?.({ ...last, partitions: inOrder(read.owned) }))).toBe(
            userData[id],
          )
        }
        expect(hexOf(cooperativeStickyAssignor.userData?.(last))).toBe(cooperativeUserData[id])
      }
    },
  )

  it.each(numbered)('is as even and keeps as much, group %i', (_, given) => {
    const assignment = assign(stickyAssignor, given)
    const names = Object.values(assignment).flat()
    expect(names.sort()).toEqual(Object.values(given.sticky).flat().sort())
    expect(squares(assignment)).toBeLessThanOrEqual(squares(given.sticky))
    if (isSame(given)) {
      expect(squares(assignment)).toBe(squares(given.sticky))
      expect(keptOf(assignment, given.owned)).toBe(keptOf(given.sticky, given.owned))
    }
  })

  it.each(numbered)(
    'leaves to the next rebalance what somebody has to give up first, group %i',
    (_, given) => {
      const assignment = assign(cooperativeStickyAssignor, given)
      const ownerOf = (name: string): string | undefined =>
        Object.entries(given.owned).find(([, names]) => names.includes(name))?.[0]
      for (const [id, names] of Object.entries(assignment)) {
        for (const name of names) expect([undefined, id]).toContain(ownerOf(name))
      }
      if (isSame(given)) {
        const theirs = given['cooperative-sticky']
        expect(keptOf(assignment, given.owned)).toBe(keptOf(theirs, given.owned))
        expect(Object.values(assignment).flat()).toHaveLength(Object.values(theirs).flat().length)
      }
    },
  )
})

const inOrder = (
  owned: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): TopicPartition[] =>
  owned.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))

const TOPICS = ['a', 'b', 'c']

interface Group {
  readonly counts: readonly number[]
  readonly subscriptions: readonly (readonly string[])[]
}

const group = fc.record({
  counts: fc.array(fc.nat({ max: 6 }), { minLength: TOPICS.length, maxLength: TOPICS.length }),
  subscriptions: fc.array(fc.subarray(TOPICS, { minLength: 1 }), { minLength: 1, maxLength: 6 }),
})

const countsOf = ({ counts }: Group): ReadonlyMap<string, number> =>
  new Map(TOPICS.map((topic, index) => [topic, counts[index] ?? 0]))

/** The least sum of squares there is, by trying every way to share: for small groups only. */
const leastSquares = ({ counts, subscriptions }: Group): number => {
  const choices = TOPICS.flatMap((topic, index) => {
    const members = subscriptions.flatMap((topics, member) => (topics.includes(topic) ? [member] : []))
    return members.length === 0 ? [] : Array.from({ length: counts[index] ?? 0 }, () => members)
  })
  let states = new Map<string, readonly number[]>([['', subscriptions.map(() => 0)]])
  for (const members of choices) {
    const next = new Map<string, readonly number[]>()
    for (const loads of states.values()) {
      for (const member of members) {
        const more = loads.map((load, index) => (index === member ? load + 1 : load))
        next.set(more.join(), more)
      }
    }
    states = next
  }
  return Math.min(...[...states.values()].map((loads) => loads.reduce((sum, load) => sum + load * load, 0)))
}

/** One claims what nobody subscribes to, does not exist, or another claims as well: anything that comes in. */
const claims = fc.array(
  fc.record({
    partitions: fc.array(
      fc.record({ topic: fc.constantFrom(...TOPICS, 'gone'), partition: fc.nat({ max: 7 }) }),
      {
        maxLength: 8,
      },
    ),
    generation: fc.integer({ min: -1, max: 2 }),
  }),
  { minLength: 6, maxLength: 6 },
)

describe('whatever members claim', () => {
  const small = fc.record({
    counts: fc.array(fc.nat({ max: 3 }), { minLength: TOPICS.length, maxLength: TOPICS.length }),
    subscriptions: fc.array(fc.subarray(TOPICS, { minLength: 1 }), { minLength: 1, maxLength: 4 }),
  })

  test.prop([small, claims])(
    'every partition has one owner who wants it, as evenly as can be',
    (given, claimed) => {
      const members = given.subscriptions.map((topics, index): AssignableMember => {
        const { partitions, generation } = claimed[index]!
        const userData = stickyAssignor.userData?.({ partitions, generation }) ?? null
        return {
          memberId: `m${index}`,
          groupInstanceId: null,
          topics,
          ownedPartitions: partitions,
          generation,
          userData,
        }
      })
      const partitionCounts = countsOf(given)
      const expected = TOPICS.flatMap((topic) =>
        given.subscriptions.some((topics) => topics.includes(topic))
          ? Array.from({ length: partitionCounts.get(topic) ?? 0 }, (_, index) => `${topic}-${index}`)
          : [],
      )
      const assignment = stickyAssignor.assign({ members, partitionCounts })
      const named = namesOf(assignment)
      expect(Object.values(named).flat().sort()).toEqual(expected.sort())
      for (const { memberId, topics } of members) {
        for (const { topic } of assignment.get(memberId) ?? []) expect(topics).toContain(topic)
      }
      expect(squares(named)).toBe(leastSquares(given))

      // Cooperatively nobody gets what another one has.
      const shared = cooperativeStickyAssignor.assign({ members, partitionCounts })
      const names = Object.values(namesOf(shared)).flat()
      expect(new Set(names).size).toBe(names.length)
      for (const [memberId, partitions] of shared) {
        for (const partition of partitions) {
          const others = members.filter(
            (member) =>
              member.memberId !== memberId &&
              member.ownedPartitions.map(partitionName).includes(partitionName(partition)),
          )
          expect(others).toEqual([])
        }
      }
    },
  )
})

/** Rebalances cooperatively until nothing moves; resolves to what each has, and how many rebalances that took. */
const settle = (given: Group, before: ReadonlyMap<string, readonly TopicPartition[]>) => {
  let owned = before
  for (let rounds = 1; ; rounds++) {
    const members = given.subscriptions.map((topics, index) => ({
      memberId: `m${index}`,
      groupInstanceId: null,
      topics,
      ownedPartitions: owned.get(`m${index}`) ?? [],
      generation: 5,
      userData: null,
    }))
    const next = cooperativeStickyAssignor.assign({ members, partitionCounts: countsOf(given) })
    const hasRevoked = members.some(({ memberId, ownedPartitions }) => {
      const kept = new Set(next.get(memberId)?.map(partitionName))
      return ownedPartitions.some((partition) => !kept.has(partitionName(partition)))
    })
    owned = next
    if (!hasRevoked || rounds === 10) return { owned, rounds }
  }
}

describe('a cooperative group', () => {
  test.prop([group, group])(
    'is even after at most two rebalances, and then stays as it is',
    (before, after) => {
      const { owned } = settle(before, new Map())
      // Those who are in both groups come with what they have, as far as they still want it.
      const { owned: settled, rounds } = settle({ ...after, counts: before.counts }, owned)
      expect(rounds).toBeLessThanOrEqual(2)
      const again = settle({ ...after, counts: before.counts }, settled)
      expect(again.rounds).toBe(1)
      expect(namesOf(again.owned)).toEqual(namesOf(settled))
    },
  )

  it('moves no more than it has to when one joins', () => {
    const given = (members: number): Group => ({
      counts: [12, 0, 0],
      subscriptions: Array.from({ length: members }, () => ['a']),
    })
    const { owned } = settle(given(3), new Map())
    const { owned: later } = settle(given(4), owned)
    expect(Object.values(namesOf(later)).map(({ length }) => length)).toEqual([3, 3, 3, 3])
    expect(keptOf(namesOf(later), namesOf(owned))).toBe(9)
  })
})

it('shares ten thousand partitions among a thousand members', () => {
  const members = Array.from({ length: 1000 }, (_, index) => ({
    memberId: `m${index}`,
    groupInstanceId: null,
    topics: ['a'],
    ownedPartitions:
      index < 900 ? Array.from({ length: 11 }, (__, p) => ({ topic: 'a', partition: index * 11 + p })) : [],
    generation: 1,
    userData: null,
  }))
  const assignment = cooperativeStickyAssignor.assign({ members, partitionCounts: new Map([['a', 10_000]]) })
  expect(members.slice(0, 900).map(({ memberId }) => assignment.get(memberId)?.length)).toEqual(
    new Array(900).fill(10),
  )
})
