/** Switches that break what a log remembers of producers: P1 to P5. */
import type { Switch } from './switch.js'

export const producersSwitches: readonly Switch[] = [
  {
    rule: 'P1',
    breaks: 'four batches are remembered',
    file: 'src/log/producer-state.ts',
    find: 'BATCHES_TO_RETAIN = 5',
    replace: 'BATCHES_TO_RETAIN = 4',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P2',
    breaks: 'a gap is taken',
    file: 'src/log/producer-state.ts',
    find: 'if (baseSequence !== expected) throw',
    replace: 'if (baseSequence < expected) throw',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P3',
    breaks: 'a zombie is taken',
    file: 'src/log/producer-state.ts',
    find: 'if (producerEpoch < entry.epoch) {',
    replace: 'if (producerEpoch < entry.epoch - 1e6) {',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P3',
    breaks: 'a new epoch begins anywhere',
    file: 'src/log/producer-state.ts',
    find: 'if (baseSequence !== 0) throw this.#outOfOrder(header, 0)',
    replace: '',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P4',
    breaks: 'recovery takes no producers in',
    file: 'src/log/recovery.ts',
    find: `    state.producers.apply(header, baseOffset, lastOffset, header.maxTimestamp, nowMs, coordinatorEpoch)
`,
    replace: '',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P4',
    breaks: 'recovery forgets coordinators',
    file: 'src/log/recovery.ts',
    find: 'header.maxTimestamp, nowMs, coordinatorEpoch)',
    replace: 'header.maxTimestamp, nowMs)',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P4',
    breaks: 'the checkpoint has no batches of producers',
    file: 'src/log/checkpoint.ts',
    find: 'producers.push({ producerId, epoch, coordinatorEpoch, lastAppendMs, batches })',
    replace:
      'producers.push({ producerId, epoch, coordinatorEpoch, lastAppendMs, batches: batches.slice(0, 0) })',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P4',
    breaks: 'the checkpoint has no open transactions',
    file: 'src/log/checkpoint.ts',
    find: 'openTransactions.push({ producerId: view.getFloat64(at), firstOffset: view.getFloat64(at + 8) })',
    replace: '',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'P4',
    breaks: 'whoever expired comes back',
    file: 'src/log/partition-log.ts',
    find: 'transactions)) this.changedSinceCheckpoint = true',
    replace: 'transactions)) void 0',
    tests: ['test/log/partition-log.test.ts'],
  },
  {
    rule: 'P4',
    breaks: 'a producer in a transaction expires',
    file: 'src/log/producer-state.ts',
    find: ` || transactions.isOpen(producerId)) continue
      this.#producers.delete(producerId)
    }
    return`,
    replace: `) continue
      this.#producers.delete(producerId)
    }
    return`,
    tests: ['test/log/producer-state.test.ts'],
  },
  {
    rule: 'P5',
    breaks: 'the sequence does not wrap',
    file: 'src/record/header.ts',
    find: '(sequence + increment) % 0x8000_0000',
    replace: 'sequence + increment',
    tests: ['test/log/model.test.ts'],
  },
]
