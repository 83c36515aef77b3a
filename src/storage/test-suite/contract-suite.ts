/** The contract as tests: proves a storage of this package, or one of your own. */
import { appendTests } from './append-tests.js'
import { failureTests } from './failure-tests.js'
import { lifecycleTests } from './lifecycle-tests.js'
import { modelTest } from './model-test.js'
import { readTests } from './read-tests.js'
import { reshapeTests } from './reshape-tests.js'
import { Subject, type StorageContractOptions, type StorageTest } from './suite-context.js'

const DEFAULT_SEEDS = [1, 2, 3]
const DEFAULT_STEPS = 300

/**
 * Declares the tests of the storage contract with a runner of your choice:
 *
 * ```ts
 * import { describe, it } from 'node:test'
 * storageContractSuite({ runner: { describe, it }, create: () => new MyStorage() })
 * ```
 *
 * A storage that passes may be given to `Ottla.open`.
 */
export const storageContractSuite = (options: StorageContractOptions): void => {
  const { describe, it } = options.runner
  const test: StorageTest = (name, body) => {
    it(name, () => Subject.run(options, body))
  }
  describe(options.name ?? 'LogStorage contract', () => {
    describe('append', () => appendTests(test))
    describe('read', () => readTests(test))
    describe('truncate and replace', () => reshapeTests(test))
    describe('blobs and lifecycle', () => lifecycleTests(test))
    if (options.failNextWrite !== undefined) describe('failure', () => failureTests(test))
    describe('model', () => {
      for (const seed of options.seeds ?? DEFAULT_SEEDS) {
        test(`random calls agree with a naive model (seed ${seed})`, (subject) =>
          modelTest(subject, seed, options.steps ?? DEFAULT_STEPS))
      }
    })
  })
}
