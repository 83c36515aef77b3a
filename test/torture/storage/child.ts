/**
 * The processes that are killed: `child write STORAGE FOLDER DURABILITY SEED ROUND` follows the scripts of all
 * partitions until it dies, `child open STORAGE FOLDER` only opens what another left, `child hold ...` fights for a
 * folder (see holder.ts), `child log ...` writes through Ottla. What was promised is said at once on stdout.
 */
import { isMainThread } from 'node:worker_threads'
import type { Durability } from '../../../src/storage/contract.js'
import { hold } from './holder.js'
import { writeLog } from './log-writer.js'
import { write } from './writer.js'
import { storageNamed } from '../storages.js'

const [mode, storageName = '', folder = '', ...rest] = process.argv.slice(2)
const { create } = storageNamed(storageName)

if (!isMainThread || mode === 'hold') await hold(create, folder, rest)
else if (mode === 'log') await writeLog(create(folder), Number(rest[0]), rest[1] === 'close')
else {
  const storage = create(folder)
  await storage.open()
  if (mode === 'open') {
    process.stdout.write('ready\n')
    await storage.close()
  } else {
    const [durability, seed, round] = rest
    await write(storage, durability as Durability, Number(seed), Number(round))
  }
}
