/** Every benchmark there is. */
import type { Benchmark } from './benchmark.js'

/** By name; a benchmark is loaded when it is asked for. */
export const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  record: async () => (await import('../record.js')).record,
  inprocess: async () => (await import('../inprocess.js')).inprocess,
  storage: async () => (await import('../storage.js')).storage,
  growth: async () => (await import('../growth.js')).growth,
  listener: async () => (await import('../listener.js')).listener,
  'cold-start': async () => (await import('../cold-start.js')).coldStart,
}
