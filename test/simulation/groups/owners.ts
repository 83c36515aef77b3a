/**
 * Who owns which partition of a group, as the members' applications were told: nobody's partition is anybody else's
 * (G1), and when nothing has happened for as long as a group may take, every partition has an owner.
 */
import type { TopicPartition } from '../../../src/clients/message.js'

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

/** The owners of a group's partitions. */
export class Owners {
  readonly #groupId: string
  readonly #partitions: ReadonlySet<string>
  readonly #owners = new Map<string, string>()
  /** Members that will hear only later that they have lost what they had. */
  readonly #overdue = new Set<string>()
  /** When every partition has to have an owner, in milliseconds of the simulation. */
  #settledBy = 0

  constructor(groupId: string, partitions: readonly TopicPartition[]) {
    this.#groupId = groupId
    this.#partitions = new Set(partitions.map(nameOf))
  }

  /** Something happened at `now` that takes the group at most `boundMs` to settle. */
  disturbed(now: number, boundMs: number): void {
    this.#settledBy = Math.max(this.#settledBy, now) + boundMs
  }

  /** `member` was told that these are its own. */
  assigned(member: string, partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const name = nameOf(partition)
      if (!this.#partitions.has(name)) throw new Error(`${this.#groupId}: ${name} is none of its partitions`)
      const owner = this.#owners.get(name)
      if (owner !== undefined) throw new Error(`${this.#groupId}: ${member} got ${name}, which ${owner} has`)
      this.#owners.set(name, member)
    }
  }

  /** `member` was told that these are its own no more. */
  gone(member: string, partitions: readonly TopicPartition[]): void {
    if (this.#overdue.delete(member)) {
      // What it was given since goes too.
      this.died(member)
      return
    }
    for (const partition of partitions) {
      const name = nameOf(partition)
      const owner = this.#owners.get(name)
      if (owner !== member)
        throw new Error(`${this.#groupId}: ${member} gave up ${name}, which ${owner ?? 'nobody'} has`)
      this.#owners.delete(name)
    }
  }

  /** `member` is dead and owns nothing. */
  died(member: string): void {
    for (const [name, owner] of this.#owners) if (owner === member) this.#owners.delete(name)
  }

  /** `member` takes longer than the group waits for anybody: what it has may be given to others before it hears of it. */
  overdue(member: string): void {
    if (![...this.#owners.values()].includes(member)) return
    this.#overdue.add(member)
    this.died(member)
  }

  /** Whether there was something to check: throws when a partition has been without an owner for too long. */
  check(now: number): boolean {
    if (now < this.#settledBy) return false
    const orphans = [...this.#partitions].filter((name) => !this.#owners.has(name))
    if (orphans.length > 0)
      throw new Error(`${this.#groupId}: nobody has ${orphans.join(', ')} since ${now - this.#settledBy} ms`)
    return true
  }
}
