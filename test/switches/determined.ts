/**
 * With a switch on, what is drawn is always the same, and more of it: whether a test notices must not be up to chance.
 * Loaded before the tests of such a run.
 */
import { fc } from '@fast-check/vitest'

fc.configureGlobal({ seed: 1, numRuns: 500 })
