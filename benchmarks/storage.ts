/** `storage`: how near Ottla's storages come to what they stand on, and how much faster files are than LevelDB. */
import { fileStorage } from '../src/storage/file/index.js'
import { levelStorage } from '../src/storage/level/index.js'
import { defineBenchmark } from './harness/benchmark.js'
import { prepareStorage } from './storage/ottla.js'
import { prepareRawClassicLevel } from './storage/raw-classic-level.js'
import { prepareRawFile } from './storage/raw-file.js'
import { SIZES, type StorageSettings } from './storage/workload.js'

export const storage = defineBenchmark<StorageSettings>({
  name: 'storage',
  summary: 'batches of 128 KiB (and other sizes) appended and read, against LevelDB and a file by hand',
  units: Object.fromEntries(
    SIZES.flatMap(({ suffix }) => [
      [`append${suffix}`, 'MB/s'],
      [`read${suffix}`, 'MB/s'],
    ]),
  ),
  settings: (smoke) => ({
    volumeBytes: smoke ? 1024 * 1024 : 256 * 1024 * 1024,
    appendsInFlight: 8,
    readBytes: 1024 * 1024,
  }),
  subjects: [
    {
      name: 'ottla-level',
      summary: 'ottla/storage/level',
      prepare: async (settings) => prepareStorage(settings, levelStorage),
    },
    {
      name: 'ottla-file',
      summary: 'ottla/storage/file',
      prepare: async (settings) => prepareStorage(settings, fileStorage),
    },
    {
      name: 'raw-classic-level',
      summary: 'LevelDB, gathered batch() calls',
      prepare: prepareRawClassicLevel,
    },
    { name: 'raw-file', summary: 'writes to a file handle', prepare: prepareRawFile },
  ],
  ratios: [
    {
      name: 'level-append',
      metric: 'append',
      subject: 'ottla-level',
      against: 'raw-classic-level',
      atLeast: 0.85,
    },
    {
      name: 'level-read',
      metric: 'read',
      subject: 'ottla-level',
      against: 'raw-classic-level',
      atLeast: 0.8,
    },
    { name: 'file-append', metric: 'append', subject: 'ottla-file', against: 'raw-file', atLeast: 0.6 },
    { name: 'file-over-level', metric: 'append', subject: 'ottla-file', against: 'ottla-level', atLeast: 3 },
    { name: 'file-read', metric: 'read', subject: 'ottla-file', against: 'raw-file', atLeast: 0.6 },
  ],
})
