/** What the member that leads its group does for the others: it shares the partitions, and notices new ones. */
import type { joinGroup } from '../../protocol/api/join-group.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import type { RebalanceProtocol } from './assignor.js'
import { checkAssignment } from './check-assignment.js'
import { membersOf, type JoinTerms } from './group-requests.js'
import { PartitionCounts } from './partition-counts.js'
import type { Stay } from './stay.js'

/** One member as the leader. */
export class Leader {
  readonly #terms: JoinTerms
  readonly #protocol: RebalanceProtocol
  readonly #counts: PartitionCounts

  constructor(context: ClientContext, terms: JoinTerms, protocol: RebalanceProtocol) {
    this.#terms = terms
    this.#protocol = protocol
    this.#counts = new PartitionCounts(context)
  }

  /**
   * The partitions of each member of the generation that was just joined.
   * @throws OttlaError INCONSISTENT_GROUP_PROTOCOL for an assignor that it does not have, INVALID_ARGUMENT when the
   * assignor has done what none may do.
   */
  async share(
    joined: ResponseOf<typeof joinGroup>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly TopicPartition[]>> {
    const { partitionAssigners, groupId } = this.#terms
    const assignor = partitionAssigners.find(({ name }) => name === joined.protocolName)
    if (assignor === undefined) {
      throw new OttlaError(
        'INCONSISTENT_GROUP_PROTOCOL',
        `Group ${groupId} has agreed on the assignor ${joined.protocolName}, which this member does not have.`,
      )
    }
    const members = membersOf(joined)
    const topics = new Set(members.flatMap((member) => member.topics))
    const partitionCounts = await this.#counts.refresh(topics, signal)
    // A static member that leads and was away finds everything shared, and only has to watch over it again (KIP-814).
    if (joined.skipAssignment) return new Map()
    const assignment = assignor.assign({ members, partitionCounts })
    checkAssignment(assignor.name, assignment, members, this.#protocol)
    return assignment
  }

  /** Another member leads. */
  retire(): void {
    this.#counts.forget()
  }

  /** Has the group rebalance when there are new partitions: not every broker does so by itself. */
  look(signal: AbortSignal, stay: Stay): void {
    this.#counts.haveChanged(signal).then(
      (haveChanged) => {
        if (haveChanged) stay.depart('rebalance')
      },
      () => undefined,
    )
  }
}
