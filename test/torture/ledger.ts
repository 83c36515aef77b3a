/**
 * The ledger: what the writer that is going to be killed has been promised, line by line on a pipe, and what a log
 * must therefore hold.
 */

/** Topic, partitions and group that writer and judge agree on. */
export const TOPIC = 'ledger'
export const PARTITIONS = 4

/** The group that the writer of a round commits for. */
export const groupOf = (round: number): string => `readers-${round}`

/** Names a record once and for all: no two records of any round have the same. */
export interface RecordName {
  readonly round: number
  readonly producer: number
  readonly sequence: number
}

/** The whole value of a record: its name, and as much padding as follows from that. */
export const valueOf = ({ round, producer, sequence }: RecordName): string =>
  `${round}/${producer}/${sequence} ${'.'.repeat((sequence * 37 + producer * 101) % 700)}`

/** What a value says that it is; undefined when it is not one of ours, whole. */
export const nameOf = (value: string): RecordName | undefined => {
  const match = /^(\d+)\/(\d+)\/(\d+) /.exec(value)
  if (match === null) return undefined
  const name = { round: Number(match[1]), producer: Number(match[2]), sequence: Number(match[3]) }
  return valueOf(name) === value ? name : undefined
}

/** One promise: a record is acknowledged, or a group's position committed. */
export type Promised =
  | {
      readonly kind: 'record'
      readonly partition: number
      readonly offset: number
      readonly name: RecordName
    }
  | { readonly kind: 'commit'; readonly partition: number; readonly offset: number }

/** A promise as a line. */
export const lineOf = (promised: Promised): string => {
  const { partition, offset } = promised
  if (promised.kind === 'commit') return `commit ${partition} ${offset}\n`
  const { round, producer, sequence } = promised.name
  return `record ${partition} ${offset} ${round}/${producer}/${sequence}\n`
}

/** The promises in what a writer printed; what it could not finish printing promises nothing. */
export const promisesIn = (output: string): Promised[] => {
  const promises: Promised[] = []
  for (const line of output.slice(0, output.lastIndexOf('\n') + 1).split('\n')) {
    const [kind, partition, offset, name] = line.split(' ')
    const at = { partition: Number(partition), offset: Number(offset) }
    if (kind === 'commit') promises.push({ kind, ...at })
    else if (kind === 'record') {
      const [round, producer, sequence] = (name ?? '').split('/').map(Number)
      promises.push({
        kind,
        ...at,
        name: { round: round ?? NaN, producer: producer ?? NaN, sequence: sequence ?? NaN },
      })
    }
  }
  return promises
}

/** Everything that was ever promised, and judges a log by it. */
export class Ledger {
  /** By partition and offset, what was acknowledged there. */
  readonly #records = Array.from({ length: PARTITIONS }, () => new Map<number, RecordName>())
  /** By group and partition, the highest position that was acknowledged. */
  readonly #commits = new Map<string, number[]>()
  #count = 0

  /** How many records were acknowledged. */
  get recordCount(): number {
    return this.#count
  }

  /** Takes in what the writer of a round was promised. @throws Error when two records were promised one place. */
  add(round: number, promises: readonly Promised[]): void {
    const commits = new Array<number>(PARTITIONS).fill(0)
    for (const promised of promises) {
      const { partition, offset } = promised
      if (promised.kind === 'commit') {
        commits[partition] = Math.max(commits[partition] ?? 0, offset)
        continue
      }
      const records = this.#records[partition]
      if (records === undefined) throw new Error(`a record was acknowledged in partition ${partition}`)
      const before = records.get(offset)
      if (before !== undefined) {
        throw new Error(
          `${partition}@${offset} was promised twice: ${show(before)} and ${show(promised.name)}`,
        )
      }
      records.set(offset, promised.name)
      this.#count++
    }
    this.#commits.set(groupOf(round), commits)
  }

  /** What each group was promised, at least. */
  *commits(): Iterable<{ readonly group: string; readonly positions: readonly number[] }> {
    for (const [group, positions] of this.#commits) yield { group, positions }
  }

  /** Judges one partition, read from its start to its end. */
  judgePartition(partition: number): PartitionJudge {
    return new PartitionJudge(partition, this.#records[partition] ?? new Map<number, RecordName>())
  }
}

const show = ({ round, producer, sequence }: RecordName): string => `${round}/${producer}/${sequence}`

/** Sees every record of one partition, in order. */
export class PartitionJudge {
  readonly #partition: number
  readonly #promised: ReadonlyMap<number, RecordName>
  /** The last sequence number seen of each producer of each round. */
  readonly #last = new Map<string, number>()
  #next = 0
  #kept = 0

  constructor(partition: number, promised: ReadonlyMap<number, RecordName>) {
    this.#partition = partition
    this.#promised = promised
  }

  /** How many records were seen. */
  get recordCount(): number {
    return this.#next
  }

  /** @throws Error when the record is not whole, not in its place, or there a second time. */
  see(offset: number, value: string | null): void {
    const where = `${this.#partition}@${offset}`
    if (offset !== this.#next)
      throw new Error(`${where} follows ${this.#next - 1}: offsets must be contiguous`)
    this.#next++
    const name = value === null ? undefined : nameOf(value)
    if (name === undefined) throw new Error(`${where} holds what nobody wrote: ${String(value).slice(0, 80)}`)
    const promised = this.#promised.get(offset)
    if (promised !== undefined) {
      if (show(promised) !== show(name))
        throw new Error(`${where} holds ${show(name)}, but ${show(promised)} was acknowledged there`)
      this.#kept++
    }
    // A producer's records keep their order in a partition; one that comes again would break it.
    const producer = `${name.round}/${name.producer}`
    const last = this.#last.get(producer) ?? -1
    if (name.sequence <= last) throw new Error(`${where} holds ${show(name)} after ${producer}/${last}`)
    this.#last.set(producer, name.sequence)
  }

  /** @throws Error when the partition ended too early. */
  end(): void {
    if (this.#kept === this.#promised.size) return
    const lost = [...this.#promised].filter(([offset]) => offset >= this.#next)
    throw new Error(
      `partition ${this.#partition} ends at ${this.#next} and lost ${lost.length} acknowledged records, ` +
        `the first at ${lost[0]?.[0]}`,
    )
  }
}
