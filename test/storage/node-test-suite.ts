/** The contract suite under Node's own test runner: `node --import tsx --test node-test-suite.ts`. */
import { describe, it } from 'node:test'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import { storageContractSuite } from '../../src/storage/test-suite/index.js'

storageContractSuite({ runner: { describe, it }, create: () => new MemoryStorage(), steps: 50 })
