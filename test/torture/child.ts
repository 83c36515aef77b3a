/**
 * The processes that are killed: `child write STORAGE FOLDER DURABILITY SEED ROUND` follows the scripts of all
 * partitions until it dies, `child crash` with the same produces and consumes through Ottla, `child transform` does it in transactions, `child open STORAGE FOLDER`
 * only opens what another left, `child hold` fights for a folder, `child log` writes a small log, `child broker` listens. What was promised is
 * said at once on stdout, which the parent holds: what was written to a pipe outlives its writer.
 */
import type { Durability } from '../../src/storage/contract.js'
import { beBroker } from './listener/broker.js'
import { hold } from './storage/holder.js'
import { writeLog } from './storage/log-writer.js'
import { writeUntilKilled } from './crash-writer.js'
import type { Asked } from './storage/script.js'
import { write } from './storage/writer.js'
import { storageNamed } from './storages.js'
import { transformUntilKilled } from './transformer.js'

const [mode, storageName = '', folder = '', ...rest] = process.argv.slice(2)

const tortured = async (): Promise<void> => {
  const { create } = storageNamed(storageName)
  if (mode === 'hold') await hold(create, folder, rest)
  else if (mode === 'log') await writeLog(create(folder), Number(rest[0]), rest[1] === 'close')
  else if (mode === 'open') {
    const storage = create(folder)
    await storage.open()
    await storage.close()
  } else {
    const [asked = '', seed, round] = rest
    const at = [Number(seed), Number(round)] as const
    if (mode === 'crash') await writeUntilKilled(create(folder), asked as Durability, ...at)
    else if (mode === 'transform') await transformUntilKilled(create(folder), asked as Durability, ...at)
    else await write(create(folder), asked as Asked, ...at)
  }
}

await (mode === 'broker' ? beBroker() : tortured())
