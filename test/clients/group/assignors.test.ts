/** The assignors against what Kafka's own make of the same groups. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Assignor } from '../../../src/clients/group/assignor.js'
import { rangeAssignor } from '../../../src/clients/group/range-assignor.js'
import { roundRobinAssignor } from '../../../src/clients/group/round-robin-assignor.js'
import { partitionName } from '../../../src/clients/message.js'
import { SeededRandom } from '../../support/seeded-random.js'

interface Case {
  readonly partitionCounts: Record<string, number>
  readonly members: Record<string, string[]>
  readonly range: Record<string, string[]>
  readonly roundrobin: Record<string, string[]>
}

const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/assignors/assignments.json', import.meta.url), 'utf8'),
) as readonly Case[]

/** The order in which members and topics come must not matter. */
const shuffled = <T>(values: readonly T[], random: SeededRandom): T[] =>
  values
    .map((value) => ({ value, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)

const assign = (
  assignor: Assignor,
  { members, partitionCounts }: Case,
  seed: number,
): Record<string, string[]> => {
  const random = new SeededRandom(seed)
  const assignment = assignor.assign({
    members: shuffled(Object.entries(members), random).map(([memberId, topics]) => ({
      memberId,
      topics: shuffled(topics, random),
      ownedPartitions: [],
      groupInstanceId: null,
      generation: -1,
      userData: null,
    })),
    partitionCounts: new Map(shuffled(Object.entries(partitionCounts), random)),
  })
  return Object.fromEntries(
    [...assignment].map(([id, partitions]) => [id, partitions.map(partitionName).sort()]),
  )
}

describe.each([rangeAssignor, roundRobinAssignor])('the $name assignor', (assignor) => {
  it.each(cases.map((group, index) => [index, group] as const))(
    'does as Kafka does, group %i',
    (index, group) => {
      const expected = group[assignor.name as 'range' | 'roundrobin']
      expect(assign(assignor, group, index)).toEqual(expected)
      expect(assign(assignor, group, index + 1000)).toEqual(expected)
    },
  )

  it('gives nothing to nobody', () => {
    expect(assignor.assign({ members: [], partitionCounts: new Map([['orders', 3]]) })).toEqual(new Map())
  })
})
