/** A storage in memory: fast, and gone when the process is. For tests, caches and whatever can be had again. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { partitionKey } from '../partition-key.js'
import type { LogStorage, PartitionId, PartitionStorage } from '../contract.js'
import { MEMORY_CAPABILITIES, MemoryPartition } from './memory-partition.js'

/** Keeps logs in memory. A closed one is empty when it is opened again. */
export class MemoryStorage implements LogStorage {
  readonly name = 'memory'
  readonly capabilities = MEMORY_CAPABILITIES
  readonly failure = undefined
  #isOpen = false
  readonly #partitions = new Map<string, MemoryPartition>()

  open(): Promise<void> {
    this.#isOpen = true
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#isOpen = false
    this.#partitions.clear()
    return Promise.resolve()
  }

  partition(id: PartitionId): Promise<PartitionStorage> {
    if (!this.#isOpen) return Promise.reject(closed())
    const key = partitionKey(id)
    let partition = this.#partitions.get(key)
    if (partition === undefined) {
      partition = new MemoryPartition(id, (asking) => this.#refusal(key, asking))
      this.#partitions.set(key, partition)
    }
    return Promise.resolve(partition)
  }

  partitions(): Promise<readonly PartitionId[]> {
    if (!this.#isOpen) return Promise.reject(closed())
    const used = [...this.#partitions.values()].filter((partition) => !partition.isUnused)
    return Promise.resolve(used.map(({ id }) => id))
  }

  deletePartition(id: PartitionId): Promise<void> {
    if (!this.#isOpen) return Promise.reject(closed())
    this.#partitions.delete(partitionKey(id))
    return Promise.resolve()
  }

  sizeBytes(): Promise<number> {
    if (!this.#isOpen) return Promise.reject(closed())
    let total = 0
    for (const partition of this.#partitions.values()) total += partition.state.sizeBytes
    return Promise.resolve(total)
  }

  #refusal(key: string, partition: MemoryPartition): OttlaError | undefined {
    if (this.#partitions.get(key) === partition) return undefined
    return this.#isOpen ? new OttlaError('RESOURCE_CLOSED', `The partition ${key} was deleted.`) : closed()
  }
}

const closed = (): OttlaError =>
  new OttlaError('RESOURCE_CLOSED', 'The memory storage is closed; open it to go on.')
