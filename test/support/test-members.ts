/** Group members as scripts of requests, so that a test can say what each sends and in which order. */
import { heartbeat } from '../../src/protocol/api/heartbeat.js'
import { joinGroup } from '../../src/protocol/api/join-group.js'
import { leaveGroup } from '../../src/protocol/api/leave-group.js'
import { offsetCommit } from '../../src/protocol/api/offset-commit.js'
import { offsetFetch } from '../../src/protocol/api/offset-fetch.js'
import { syncGroup } from '../../src/protocol/api/sync-group.js'
import { encodeSubscription } from '../../src/protocol/consumer-protocol.js'
import type { ResponseOf } from '../../src/protocol/schema.js'
import type { TestBroker } from './test-broker.js'

const GROUP = 'billing'

/** Requests of one group's members. */
export const membersOf = ({ send }: TestBroker, topics: readonly string[] = ['orders']) => {
  const metadata = encodeSubscription({
    topics,
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
  })
  const join = (
    memberId = '',
    options: {
      protocols?: string[]
      sessionTimeoutMs?: number
      groupInstanceId?: string
      clientHost?: string
      protocolType?: string
      apiVersion?: number
    } = {},
  ): Promise<ResponseOf<typeof joinGroup>> =>
    send(
      joinGroup,
      {
        groupId: GROUP,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
        rebalanceTimeoutMs: 30_000,
        memberId,
        groupInstanceId: options.groupInstanceId ?? null,
        protocolType: options.protocolType ?? 'consumer',
        protocols: (options.protocols ?? ['range']).map((name) => ({ name, metadata })),
        reason: null,
      },
      {
        apiVersion: options.apiVersion ?? 9,
        ...(options.clientHost === undefined ? {} : { clientHost: options.clientHost }),
      },
    )
  return {
    join,
    /** Gets an id, without joining with it. */
    newId: async (): Promise<string> => {
      return (await join()).memberId
    },
    sync: (
      memberId: string,
      generationId: number,
      assignments: Record<string, string> = {},
    ): Promise<ResponseOf<typeof syncGroup>> =>
      send(
        syncGroup,
        {
          groupId: GROUP,
          generationId,
          memberId,
          groupInstanceId: null,
          protocolType: null,
          protocolName: null,
          assignments: Object.entries(assignments).map(([id, text]) => ({
            memberId: id,
            assignment: new TextEncoder().encode(text),
          })),
        },
        // Which protocol it is need not be said in this version.
        { apiVersion: 4 },
      ),
    heartbeat: async (memberId: string, generationId: number): Promise<number> => {
      return (await send(heartbeat, { groupId: GROUP, generationId, memberId, groupInstanceId: null }))
        .errorCode
    },
    leave: async (...memberIds: string[]): Promise<number[]> => {
      const members = memberIds.map((memberId) => ({ memberId, groupInstanceId: null, reason: null }))
      const answer = await send(leaveGroup, { groupId: GROUP, memberId: '', members })
      return answer.errorCode === 0 ? answer.members.map(({ errorCode }) => errorCode) : [answer.errorCode]
    },
    commit: async (
      memberId: string,
      generation: number,
      topicId: string,
      offset: number,
      metadataText = 'note',
    ): Promise<number> => {
      const answer = await send(offsetCommit, {
        groupId: GROUP,
        generationIdOrMemberEpoch: generation,
        memberId,
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [
          {
            name: '',
            topicId,
            partitions: [
              {
                partitionIndex: 0,
                committedOffset: offset,
                committedLeaderEpoch: 0,
                committedMetadata: metadataText,
              },
            ],
          },
        ],
      })
      return answer.topics[0]!.partitions[0]!.errorCode
    },
    committed: async (
      topicId: string,
      partition = 0,
    ): Promise<{ offset: number; metadata: string | null; errorCode: number }> => {
      const answer = await send(offsetFetch, {
        groupId: '',
        topics: null,
        groups: [
          {
            groupId: GROUP,
            memberId: null,
            memberEpoch: -1,
            topics: [{ name: '', topicId, partitionIndexes: [partition] }],
          },
        ],
        requireStable: true,
      })
      const {
        committedOffset: offset,
        metadata: text,
        errorCode,
      } = answer.groups[0]!.topics[0]!.partitions[0]!
      return { offset, metadata: text, errorCode }
    },
  }
}

/** The text of an assignment that {@link membersOf} sent. */
export const textOf = ({ assignment }: { readonly assignment: Uint8Array }): string =>
  new TextDecoder().decode(assignment)
