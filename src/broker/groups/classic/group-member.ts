/** One member of a group: what it told when it joined, its assignment, and what it waits for. */
import type { joinGroup } from '../../../protocol/api/join-group.js'
import type { syncGroup } from '../../../protocol/api/sync-group.js'
import type { ResponseOf } from '../../../protocol/schema.js'
import type { ScheduledTimer } from '../../../runtime/clock.js'

/** A protocol (for consumers: an assignor) that a member supports, with its metadata (its subscription). */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

/** What a member is born with. */
export interface MemberIdentity {
  readonly memberId: string
  /** The name of a static member, which keeps its place over restarts (KIP-345); null for others. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly protocolType: string
}

/** What a member may change when it joins again. */
export interface MemberTerms {
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

/** Bytes of an assignment or subscription that is not there. */
export const NO_BYTES = new Uint8Array(0)

/** A member. Its group and the rebalancer change it; nobody else does. */
export class GroupMember implements MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly protocolType: string
  terms: MemberTerms
  /** What the leader assigned to it in this generation; empty until then. */
  assignment: Uint8Array = NO_BYTES
  /** True until its first join is answered: until then it cannot heartbeat. */
  isNew = false
  /** Answers its join, while it waits for the others to join. */
  awaitingJoin: ((response: ResponseOf<typeof joinGroup>) => void) | undefined
  /** Answers its sync, while it waits for the leader's assignment. */
  awaitingSync: ((response: ResponseOf<typeof syncGroup>) => void) | undefined
  sessionTimer: ScheduledTimer | undefined

  constructor(identity: MemberIdentity, terms: MemberTerms) {
    this.memberId = identity.memberId
    this.groupInstanceId = identity.groupInstanceId
    this.clientId = identity.clientId
    this.clientHost = identity.clientHost
    this.protocolType = identity.protocolType
    this.terms = terms
  }

  /** Its metadata for `protocol`; empty when it does not support it. */
  metadataFor(protocol: string | null): Uint8Array {
    return this.terms.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES
  }

  /** The first of its protocols that is among `candidates`. */
  vote(candidates: ReadonlySet<string>): string | undefined {
    return this.terms.protocols.find(({ name }) => candidates.has(name))?.name
  }

  /** Whether `protocols` are the same, in the same order, with the same metadata as it joined with. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    const own = this.terms.protocols
    return (
      own.length === protocols.length &&
      own.every((protocol, index) => {
        const other = protocols[index]
        return other?.name === protocol.name && sameBytes(protocol.metadata, other.metadata)
      })
    )
  }
}

const sameBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index])
