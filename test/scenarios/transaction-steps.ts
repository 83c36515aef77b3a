/** The requests of transactional producers, as steps. The transactional id is `~tx`. */
import { capture, type BatchOfScenario, type Marker, type RequestStep } from './scenario.js'
import { initProducerId, produce, type StepOptions } from './steps.js'

type Expected = Readonly<Record<string, unknown>>
type Epoch = string | number | Marker

/** The id of a producer and its epoch, as a scenario has captured them. */
export interface ProducerOfScenario {
  readonly producerId?: string | number
  readonly producerEpoch?: Epoch
}

/** `$pid` and `$epoch`. */
const BY = { producerId: '$pid', producerEpoch: '$epoch' }

/** A new producer of `~tx`: `$pid` and `$epoch` stand for it. */
export const begin = initProducerId('~tx', {
  errorCode: 'NONE',
  producerId: capture('pid'),
  producerEpoch: capture('epoch'),
})

/** The same id once more, which fences who had it: `$epoch2` is the new epoch. */
export const beginAgain: RequestStep = {
  ...initProducerId('~tx', { errorCode: 'NONE', producerId: '$pid', producerEpoch: capture('epoch2') }),
  eventually: true,
}

/** AddPartitionsToTxn of one partition, as clients did before they added by writing. */
export const add = (
  errorCode: string,
  options: StepOptions & ProducerOfScenario & { readonly topic?: string; readonly partition?: number } = {},
): RequestStep => {
  const {
    topic = '~orders',
    partition = 0,
    producerId = BY.producerId,
    producerEpoch = BY.producerEpoch,
    ...rest
  } = options
  return {
    api: 'AddPartitionsToTxn',
    version: 3,
    body: {
      v3AndBelowTransactionalId: '~tx',
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
    },
    expect: {
      resultsByTopicV3AndBelow: [
        { name: topic, resultsByPartition: [{ partitionIndex: partition, partitionErrorCode: errorCode }] },
      ],
    },
    ...rest,
  }
}

/** Produce of a transactional batch to `~orders`; version 12 adds its partition, 11 does not. */
export const write = (
  of: BatchOfScenario = {},
  expect: Expected = { errorCode: 'NONE' },
  options: Parameters<typeof produce>[3] = {},
): RequestStep =>
  produce('~orders', { ...BY, baseSequence: 0, isTransactional: true, ...of }, expect, {
    transactionalId: '~tx',
    ...options,
  })

/** EndTxn; version 5 answers with the producer of the next transaction. */
export const end = (
  committed: boolean,
  expect: Expected | string = 'NONE',
  options: StepOptions & ProducerOfScenario = {},
): RequestStep => {
  const { producerId = BY.producerId, producerEpoch = BY.producerEpoch, version = 4, ...rest } = options
  return {
    api: 'EndTxn',
    version,
    body: { transactionalId: '~tx', producerId, producerEpoch, committed },
    expect: typeof expect === 'string' ? { errorCode: expect } : expect,
    ...rest,
  }
}

/** AddOffsetsToTxn for `~billing`. */
export const addOffsets = (
  errorCode: string,
  options: StepOptions & ProducerOfScenario = {},
): RequestStep => {
  const { producerId = BY.producerId, producerEpoch = BY.producerEpoch, version = 3, ...rest } = options
  return {
    api: 'AddOffsetsToTxn',
    version,
    body: { transactionalId: '~tx', producerId, producerEpoch, groupId: '~billing' },
    expect: { errorCode },
    ...rest,
  }
}

/** TxnOffsetCommit of partition 0 of `~orders` for `~billing`; version 5 adds the group, 4 does not. */
export const commitInTransaction = (
  offset: number,
  errorCode = 'NONE',
  options: StepOptions &
    ProducerOfScenario & {
      readonly topic?: string
      readonly memberId?: string
      readonly generationId?: number
      readonly groupInstanceId?: string
      readonly metadata?: string
    } = {},
): RequestStep => {
  const {
    topic = '~orders',
    memberId = '',
    generationId = -1,
    groupInstanceId = null,
    metadata = null,
    producerId = BY.producerId,
    producerEpoch = BY.producerEpoch,
    ...rest
  } = options
  return {
    api: 'TxnOffsetCommit',
    body: {
      transactionalId: '~tx',
      groupId: '~billing',
      producerId,
      producerEpoch,
      memberId,
      generationId,
      groupInstanceId,
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: metadata }],
        },
      ],
    },
    expect: { topics: [{ name: topic, partitions: [{ partitionIndex: 0, errorCode }] }] },
    ...rest,
  }
}

/** DescribeTransactions of `~tx`. */
export const describeTransaction = (expect: Expected, options: StepOptions = {}): RequestStep => ({
  api: 'DescribeTransactions',
  body: { transactionalIds: ['~tx'] },
  expect: { transactionStates: [{ transactionalId: '~tx', ...expect }] },
  ...options,
})
