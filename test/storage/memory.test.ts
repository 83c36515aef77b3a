/** Storage in memory keeps the contract. */
import { describe, it } from 'vitest'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import { storageContractSuite } from '../../src/storage/test-suite/contract-suite.js'

storageContractSuite({ name: 'memory', runner: { describe, it }, create: () => new MemoryStorage() })
