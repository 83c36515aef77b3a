/** What no log can be faster than: the same records encoded into batches and decoded again, and nothing else. */
import { openBatch } from '../../src/record/decode.js'
import { encodeBatch } from '../../src/record/encode.js'
import type { ReadySubject } from '../harness/benchmark.js'
import { batchCountOf, makeValues, perSecond, Reader, type InprocessSettings } from './workload.js'

export const prepareCodec = (settings: InprocessSettings): Promise<ReadySubject> => {
  const values = makeValues(settings)
  const sample = async (): Promise<Record<string, number>> => {
    const reader = new Reader(settings)
    const rate = await perSecond(settings, async () => {
      for (let batch = 0; batch < batchCountOf(settings); batch++) {
        const timestamp = Date.now()
        const bytes = encodeBatch(values.map((value) => ({ timestamp, key: null, value, headers: [] })))
        const cursor = await openBatch(bytes)
        while (cursor.next()) reader.see(cursor.offset, cursor.value!)
      }
    })
    reader.check()
    return { 'produce-and-consume': rate }
  }
  return Promise.resolve({ sample })
}
