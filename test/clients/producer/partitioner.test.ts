/** Partitions: keys go where Kafka's Java client sends them, keyless records stick and spread. */
import { describe, expect, it } from 'vitest'
import { murmur2 } from '../../../src/clients/producer/murmur2.js'
import { partitionOfKey } from '../../../src/clients/producer/partitioner.js'
import vectors from '../../fixtures/clients/murmur2.json' with { type: 'json' }

describe('keys', () => {
  it.each(vectors)('$key', ({ key, murmur2: hash, partitions }) => {
    const bytes = new Uint8Array(Buffer.from(key, 'hex'))
    expect(murmur2(bytes)).toBe(hash)
    for (const [count, partition] of Object.entries(partitions))
      expect(partitionOfKey(bytes, Number(count))).toBe(partition)
  })

  it('are hashed by their bytes, wherever these stand', () => {
    const whole = new TextEncoder().encode('..c-17..')
    expect(murmur2(whole.subarray(2, 6))).toBe(murmur2(new TextEncoder().encode('c-17')))
  })
})
