/** Switches that break the rules of a log: L1 to L8, H1 to H5, and what of T2 and T4 is its. */
import type { Switch } from './switch.js'

export const logSwitches: readonly Switch[] = [
  {
    rule: 'H1',
    breaks: 'the last stable offset lies below the log start',
    file: 'src/log/log-base.ts',
    find: 'Math.max(this.logStart, this.state.transactions.lastStableOffset(this.watermark))',
    replace: 'this.state.transactions.lastStableOffset(this.watermark)',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'H4',
    breaks: 'read_committed reads open transactions',
    file: 'src/log/partition-log.ts',
    find: 'isCommitted ? this.lastStableOffset : this.watermark',
    replace: 'this.watermark',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'H5',
    breaks: 'the last stable offset ignores what is ending',
    file: 'src/log/transaction-index.ts',
    find: 'for (const { firstOffset } of this.#ending) first',
    replace: 'for (const { firstOffset } of []) first',
    tests: ['test/log/transactions.test.ts'],
  },
  {
    rule: 'L1',
    breaks: 'append leaves a hole between batches',
    file: 'src/log/partition-log.ts',
    find: 'state.endOffset = lastOffset + 1',
    replace: 'state.endOffset = lastOffset + 2',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L1',
    breaks: 'append reuses the last offset',
    file: 'src/log/partition-log.ts',
    find: 'state.endOffset = lastOffset + 1',
    replace: 'state.endOffset = Math.max(baseOffset + 1, lastOffset)',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L2',
    breaks: 'CRC not checked on append',
    file: 'src/log/append-validation.ts',
    find: `const header = validateBatch(batch)
`,
    replace: `const header = readHeader(batch)
`,
    tests: ['test/log/partition-log.test.ts'],
  },
  {
    rule: 'L2',
    breaks: 'CRC not checked after an unclean stop',
    file: 'src/log/recovery.ts',
    find: 'state, endOffset, validateStored)',
    replace: 'state, endOffset, headerOfStored)',
    tests: ['test/log/damage.test.ts'],
  },
  {
    rule: 'L2',
    breaks: 'CRC not checked on a read from disk',
    file: 'src/log/stored-batch.ts',
    find: 'if (isProved || !headerAgrees(batch))',
    replace: 'if (!headerAgrees(batch))',
    tests: ['test/log/damage.test.ts'],
  },
  {
    rule: 'L3',
    breaks: 'checkpoint of a roll made before the append is taken in',
    file: 'src/log/partition-log.ts',
    find: `state.endOffset = lastOffset + 1
    const write`,
    replace: 'const write',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L4',
    breaks: 'acknowledges before it is stored',
    file: 'src/log/partition-log.ts',
    find: `    return pending
  }

  #ack`,
    replace: `    this.#stored(pending)
    return pending
  }

  #ack`,
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L4',
    breaks: 'group commit acknowledges before it has written',
    file: 'src/storage/group-commit.ts',
    find: '        await this.#commit(',
    replace: `        for (const member of group) member.resolve()
        await this.#commit(`,
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L5',
    breaks: 'an end that is missing is not noticed',
    file: 'src/log/recovery.ts',
    find: 'if (state.endOffset > endOffset) {',
    replace: 'if (state.endOffset > endOffset + 1e9) {',
    tests: ['test/log/damage.test.ts'],
  },
  {
    rule: 'L5',
    breaks: 'a hole is skipped',
    file: 'src/log/stored-batch.ts',
    find: 'if (fits || (baseOffset > offset && baseOffset <= gapsBelow)) return',
    replace: 'if (fits || baseOffset > offset) return',
    tests: ['test/log/damage.test.ts'],
  },
  {
    rule: 'L5',
    breaks: 'nothing stored reads as the end',
    file: 'src/log/stored-batch.ts',
    find: 'if (batches.length === 0 && fromOffset >= gapsBelow) {',
    replace: 'if (batches.length < 0 && fromOffset >= gapsBelow) {',
    tests: ['test/log/damage.test.ts'],
  },
  {
    rule: 'L6',
    breaks: 'any epoch may open the log',
    file: 'src/log/log-base.ts',
    find: 'if (this.#leaderEpoch < latestEpoch) {',
    replace: 'if (this.#leaderEpoch < latestEpoch - 1e9) {',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L6',
    breaks: 'epochs that decrease are taken in',
    file: 'src/log/recovery.ts',
    find: 'if (epoch < state.epochs.latestEpoch) {',
    replace: 'if (epoch < state.epochs.latestEpoch - 1e9) {',
    tests: ['test/log/damage.test.ts'],
  },
  {
    rule: 'L6',
    breaks: 'the cache keeps entries at or beyond a new one',
    file: 'src/log/epoch-cache.ts',
    find: `    this.truncateFromEnd(startOffset)
    this.#entries.push`,
    replace: '    this.#entries.push',
    tests: ['test/log/epoch-cache.test.ts'],
  },
  {
    rule: 'L6',
    breaks: 'deletion forgets the epoch that holds the start',
    file: 'src/log/epoch-cache.ts',
    find: 'if (holder !== undefined) this.#entries.unshift',
    replace: 'if (holder === undefined) this.#entries.unshift',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L7',
    breaks: 'truncation keeps the producers',
    file: 'src/log/recovery.ts',
    find: 'segment, epochs, producers: state.producers, transactions }',
    replace: 'segment, epochs, producers: current.producers, transactions }',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L7',
    breaks: 'truncation keeps the epochs',
    file: 'src/log/recovery.ts',
    find: `  epochs.truncateFromEnd(state.endOffset)
`,
    replace: '',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L7',
    breaks: 'truncation keeps what was aborted',
    file: 'src/log/transaction-index.ts',
    find: 'this.#aborted.slice(0, this.#firstEndingAt(endOffset))',
    replace: 'this.#aborted.slice()',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L7',
    breaks: 'truncation keeps open transactions',
    file: 'src/log/transaction-index.ts',
    find: '(one.firstOffset < endOffset ? [[one.producerId, one]] : [])',
    replace: '[[one.producerId, one]]',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L7',
    breaks: 'truncation and its checkpoint are two writes',
    file: 'src/log/partition-log.ts',
    find: 'await this.#cut(this.storage.truncateSuffix(offset, this.checkpointBlob()))',
    replace: `const blob = this.checkpointBlob()
        await this.#cut(this.storage.truncateSuffix(offset).then(() => this.storage.writeBlobs(blob, "os")))`,
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L7',
    breaks: 'T4: what began with the cut batch stays open',
    file: 'src/log/recovery.ts',
    find: 'truncated(cutFrom,',
    replace: 'truncated(state.endOffset,',
    tests: ['test/log/transactions.test.ts'],
  },
  {
    rule: 'L7',
    breaks: 'what was known before is not adopted',
    file: 'src/log/recovery.ts',
    find: `  state.producers.adoptEarlier(current.producers, state.endOffset)
`,
    replace: '',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L8',
    breaks: 'group commit goes on after a failure',
    file: 'src/storage/group-commit.ts',
    find: 'const failure = this.fail(error)',
    replace: 'const failure = new OttlaError("STORAGE_FAILED", String(error))',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'L8',
    breaks: 'the log stays on line after a failed append',
    file: 'src/log/partition-log.ts',
    find: `        this.diskAccount?.end(sizeBytes)
        this.fail(error)`,
    replace: `        this.diskAccount?.end(sizeBytes)
        pending.reject(error)`,
    tests: ['test/log/partition-log.test.ts'],
  },
  {
    rule: 'L8',
    breaks: 'the file engine goes on after a failure',
    file: 'src/storage/file/file-engine.ts',
    find: 'throw this.fail(error)',
    replace: 'throw error',
    tests: ['test/storage/file-crash.test.ts'],
  },
  {
    rule: 'T2',
    breaks: 'an older coordinator may write',
    file: 'src/log/producer-state.ts',
    find: 'if (coordinatorEpoch >= seen) return',
    replace: 'if (coordinatorEpoch >= -1) return',
    tests: ['test/log/model.test.ts'],
  },
]
