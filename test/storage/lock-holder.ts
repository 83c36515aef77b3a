/** A process that opens the storage in a folder, says `open` or the code of the error, and stays until it is killed. */
import { levelStorage } from '../../src/storage/level/index.js'

const storage = levelStorage(process.argv[2] ?? '')
try {
  await storage.open()
  const partition = await storage.partition({ topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 })
  const { endOffset } = partition.state
  const batch = { baseOffset: endOffset, lastOffset: endOffset, maxTimestamp: 0, sizeBytes: 3 }
  await partition.append([{ ...batch, bytes: new Uint8Array([1, 2, 3]) }], { durability: 'os' })
  process.stdout.write('open\n')
  setInterval(() => undefined, 1000)
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code ?? String(error)}\n`)
}
