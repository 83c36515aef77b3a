/** `growth`: whether a log stays as fast as it grows, and leaves the application its event loop and its memory. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { defineBenchmark, SubjectUnavailable, type Subject } from './harness/benchmark.js'
import { withTempFolder } from './harness/temp-folder.js'
import type { Figures, GrowthSettings, Task } from './growth/settings.js'

const processFile = new URL('growth-process.js', import.meta.url)

/** Runs one part in a process of its own. Resolves to what it measured. */
const run = async (task: Task): Promise<Figures> => {
  const child = spawn(process.execPath, [processFile.pathname, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const output = await text(child.stdout)
  const [code, signal] = (await exited) as [number | null, string | null]
  if (output === '')
    throw new Error(`${task.part} on ${task.storage} ended with ${code ?? signal}, and no figures`)
  return JSON.parse(output) as Figures
}

const worst = (name: string, ...figures: readonly Figures[]): Figures => ({
  [name]: Math.max(...figures.map((of) => of[name] ?? 0)),
})

const subject = (storage: Task['storage'], summary: string): Subject<GrowthSettings> => ({
  name: `ottla-${storage}`,
  summary,
  prepare: async (settings) => {
    if (!existsSync(processFile)) throw new SubjectUnavailable('it runs as npm run bench builds it')
    return {
      sample: () =>
        withTempFolder(async (folder) => {
          const grown = await run({ part: 'grow', storage, folder, settings })
          const recovered = await run({ part: 'recover', storage, folder, settings })
          const idle = await run({ part: 'idle', storage, folder, settings })
          return {
            ...grown,
            ...recovered,
            ...idle,
            ...worst('rss-max', grown, recovered),
            ...worst('loop-delay-p99', grown, recovered),
            ...worst('loop-delay-max', grown, recovered),
          }
        }),
    }
  },
})

const within = (
  name: string,
  metric: string,
  againstMetric: string,
  atLeast: Record<Task['storage'], number>,
) =>
  (['level', 'file'] as const).map((storage) => ({
    name: `${storage}-${name}`,
    metric,
    subject: `ottla-${storage}`,
    against: `ottla-${storage}`,
    againstMetric,
    atLeast: atLeast[storage],
  }))

const limits = {
  'rss-max': 250,
  'loop-delay-p99': 10,
  'loop-delay-max': 50,
  'idle-partition': 20,
  'idle-timers': 3,
}

export const growth = defineBenchmark<GrowthSettings>({
  name: 'growth',
  summary: 'a log that grows: its speed at both ends, opening, memory, and what it leaves of the event loop',
  units: {
    'append-first': 'MB/s',
    'append-last': 'MB/s',
    'tail-read-first': 'MB/s',
    'tail-read-last': 'MB/s',
    'open-short': 'ms',
    'open-long': 'ms',
    'open-unclean': 'ms',
    'rss-max': 'MB',
    'loop-delay-p99': 'ms',
    'loop-delay-max': 'ms',
    'idle-partition': 'KB',
    'idle-timers': 'timers + 1',
  },
  // A growing log is written once: to warm up would be to write it twice.
  warmUpSamples: 0,
  samples: 1,
  settings: (smoke) => ({
    totalMb: smoke ? 40 : 1000,
    partitions: 8,
    valueBytes: 1024,
    batchBytes: 131_072,
    batchesInFlight: 8,
    busySeconds: smoke ? 1 : 10,
    idlePartitions: smoke ? 100 : 10_000,
  }),
  subjects: [subject('level', 'the default on disk'), subject('file', 'segment files')],
  ratios: [
    ...within('append', 'append-last', 'append-first', { level: 0.8, file: 0.9 }),
    ...within('tail-read', 'tail-read-last', 'tail-read-first', { level: 0.8, file: 0.9 }),
    // Turned round, so that more is better: at most 1.5 times as long.
    ...within('open', 'open-short', 'open-long', { level: 1 / 1.5, file: 1 / 1.5 }),
  ],
  limits: ['ottla-level', 'ottla-file'].flatMap((name) =>
    Object.entries(limits).map(([metric, atMost]) => ({ subject: name, metric, atMost })),
  ),
})
