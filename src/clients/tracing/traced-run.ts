/** Handlers of `run`, each call of them in a span. */
import type { Message } from '../message.js'
import type { RunOptions } from '../consumer/run.js'
import type { Spans } from './spans.js'

/** `options` with handlers that are traced; what is no handler is left for `run` to refuse. */
export const tracedRun = <M extends Message>(options: RunOptions<M>, spans: Spans): RunOptions<M> => {
  if (typeof options !== 'object' || (options as unknown) === null) return options
  const { eachMessage, eachBatch } = options
  if (typeof eachMessage === 'function')
    return { ...options, eachMessage: (message) => spans.process(message, eachMessage) }
  if (typeof eachBatch === 'function')
    return { ...options, eachBatch: (batch) => spans.processBatch(batch, eachBatch) }
  return options
}
