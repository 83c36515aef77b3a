/** Switches that break transactions: T1 to T6. */
import type { Switch } from './switch.js'

const TESTS = [
  'test/broker/transactions/coordinator.test.ts',
  'test/broker/transactions/offsets.test.ts',
  'test/broker/transactions/crash.test.ts',
]

export const transactionsSwitches: readonly Switch[] = [
  {
    rule: 'T1',
    breaks: 'an open transaction expires with its id',
    file: 'src/broker/transactions/transactional-ids.ts',
    find: "state === 'Ongoing' || isPrepared",
    replace: 'isPrepared',
    tests: TESTS,
  },
  {
    rule: 'T1',
    breaks: 'offsets of an open transaction are lost with a restart',
    file: 'src/broker/groups/offsets-partition.ts',
    find: 'header.isTransactional ? header.producerId : -1',
    replace: '-1',
    tests: TESTS,
  },
  {
    rule: 'T1',
    breaks: 'offsets of an open transaction are told as stable',
    file: 'src/broker/handlers/offset-fetch.ts',
    find: 'if (requireStable && topic',
    replace: 'if (!requireStable && topic',
    tests: TESTS,
  },
  {
    rule: 'T1',
    breaks: 'a commit that came late wins over a later one',
    file: 'src/broker/groups/committed-offsets.ts',
    find: 'if (before !== undefined && before.logOffset > committed.logOffset) return',
    replace: '',
    tests: TESTS,
  },
  {
    rule: 'T2',
    breaks: 'a producer from the future is not fenced',
    file: 'src/broker/transactions/transaction-coordinator.ts',
    find: 'if (metadata.producerEpoch !== producer.producerEpoch) {',
    replace: 'if (metadata.producerEpoch < producer.producerEpoch) {',
    tests: TESTS,
  },
  {
    rule: 'T3',
    breaks: 'markers before the decision is durable',
    file: 'src/broker/transactions/transaction-coordinator.ts',
    find: '      await id.write(prepared(metadata, isCommit, clientTransactionVersion, newProducerId, now))\n',
    replace:
      "      const next = prepared(metadata, isCommit, clientTransactionVersion, newProducerId, now)\n      await writeMarkers(this.#services, next.partitions, { ...next, type: isCommit ? 'commit' : 'abort', coordinatorEpoch: 0 })\n      await id.write(next)\n",
    tests: TESTS,
  },
  {
    rule: 'T3',
    breaks: 'what was decided before a crash is left as it is',
    file: 'src/broker/transactions/transaction-coordinator.ts',
    find: 'if (isPrepared(id.metadata)) void id.changing',
    replace: "if (id.name === '') void id.changing",
    tests: TESTS,
  },
  {
    rule: 'T4',
    breaks: 'a partition that was not added is written to',
    file: 'src/broker/transactions/transaction-coordinator.ts',
    find: 'if (isInTransaction(existing(loaded, name, producer).metadata, producer, partitions)) return proceed()',
    replace:
      'isInTransaction(existing(loaded, name, producer).metadata, producer, partitions)\n    if (loaded) return proceed()',
    tests: TESTS,
  },
  {
    rule: 'T4',
    breaks: 'partitions are added side by side',
    file: 'src/broker/transactions/transactional-id.ts',
    find: 'const added = this.#additions.then(addition)',
    replace: 'const added = Promise.resolve().then(addition)',
    tests: TESTS,
  },
  {
    rule: 'T5',
    breaks: 'changes of one id overlap',
    file: 'src/broker/transactions/transactional-id.ts',
    find: 'if (this.#change !== undefined) throw underWay()',
    replace: 'if (this.#change === null) throw underWay()',
    tests: TESTS,
  },
  {
    rule: 'T5',
    breaks: 'a new epoch begins at any sequence',
    file: 'src/log/producer-state.ts',
    find: 'if (isEpochBumped && checkSequence && baseSequence !== 0)',
    replace: 'if (isEpochBumped && checkSequence && baseSequence < 0)',
    tests: TESTS,
  },
  {
    rule: 'T5',
    breaks: 'an exhausted producer id is not replaced',
    file: 'src/broker/transactions/transaction-metadata.ts',
    find: 'nextProducerId: isBumped && needsProducerId(metadata) ? newProducerId : NONE',
    replace: 'nextProducerId: NONE',
    tests: TESTS,
  },
  {
    rule: 'T6',
    breaks: 'an open transaction has no end in time',
    file: 'src/broker/transactions/transaction-coordinator.ts',
    find: '      await this.#abort(id)\n      this.#services.onTimedOut',
    replace: '      this.#services.onTimedOut',
    tests: TESTS,
  },
]
