/** Switches that break retention: R1 to R5. */
import type { Switch } from './switch.js'

export const retentionSwitches: readonly Switch[] = [
  {
    rule: 'R1',
    breaks: 'retention drops one batch too many',
    file: 'src/log/retention.ts',
    find: `return cut
    }
    signal`,
    replace: `return { ...cut, startOffset: from }
    }
    signal`,
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'R1',
    breaks: 'the log start is not written',
    file: 'src/log/partition-log.ts',
    find: 'this.storage.truncatePrefix(startOffset, this.checkpointBlob())',
    replace:
      'this.storage.writeBlobs(this.checkpointBlob(), "os").then(() => { this.logStart = startOffset })',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'R2',
    breaks: 'retention looks beyond the high watermark',
    file: 'src/log/retention.ts',
    find: `if (lastOffset >= highWatermark) return cut
`,
    replace: '',
    tests: ['test/log/partition-log.test.ts'],
  },
  {
    rule: 'R3',
    breaks: 'a fetch below the start skips to it',
    file: 'src/log/partition-log.ts',
    find: 'if (!(offset >= this.logStart && offset <= this.state.endOffset)) throw',
    replace: 'if (!(offset <= this.state.endOffset)) throw',
    tests: ['test/log/model.test.ts'],
  },
  {
    rule: 'R4',
    breaks: 'a batch without a timestamp keeps what follows',
    file: 'src/log/retention.ts',
    find: 'const timeless = retentionMs >= 0 && maxTimestamp < 0',
    replace: 'const timeless = false',
    tests: ['test/log/retention.test.ts'],
  },
  {
    rule: 'R4',
    breaks: 'a batch from the future keeps nothing',
    file: 'src/log/retention.ts',
    find: '} else if (!timeless) return cut',
    replace: '}',
    tests: ['test/log/retention.test.ts'],
  },
  {
    rule: 'R5',
    breaks: 'file: dropped segments stay on the disk',
    file: 'src/storage/file/partition-folder.ts',
    find: `      await this.#engine.files.remove(this.segmentPath(baseOffset))
    }
    await this.#engine.files.syncDirectory`,
    replace: `    }
    await this.#engine.files.syncDirectory`,
    tests: ['test/ottla/disk.test.ts'],
  },
  {
    rule: 'R5',
    breaks: 'level: dropped batches stay in the database',
    file: 'src/storage/level/trimming.ts',
    find: `  removeBatches(operations, partitionNumber, dropped)
`,
    replace: '',
    tests: ['test/storage/level.test.ts'],
  },
]
