/** What Apache Kafka's own performance tools make of a broker. */
import { toolCommand } from '../../test/interop/java-client.js'
import { run } from '../../test/interop/process.js'
import { Skipped } from '../../test/support/suite-command.js'
import type { Measurements } from '../harness/benchmark.js'
import type { ListenerSettings, RunningBroker } from './settings.js'

/** ProducerPerformance and then ConsumerPerformance; records a second. Nothing where the tools are not there. */
export const javaThroughput = async (
  { host, port }: RunningBroker,
  topic: string,
  { records, valueBytes }: ListenerSettings,
): Promise<Measurements> => {
  const bootstrap = `${host}:${port}`
  let producer: ReturnType<typeof toolCommand>
  try {
    producer = toolCommand('ProducerPerformance')
  } catch (error) {
    if (error instanceof Skipped) return {}
    throw error
  }
  const told = await run(producer, [
    ...['--topic', topic, '--num-records', String(records), '--record-size', String(valueBytes)],
    ...['--throughput', '-1', '--bootstrap-server', bootstrap],
    ...['--command-property', 'linger.ms=5', 'batch.size=131072'],
  ])
  const read = await run(toolCommand('ConsumerPerformance'), [
    ...['--topic', topic, '--num-records', String(records), '--bootstrap-server', bootstrap],
    ...['--timeout', '60000', '--hide-header'],
  ])
  return {
    // "1000 records sent, 45678.9 records/sec (...)": the last line sums up.
    'java-produce': Number(/([\d.]+) records\/sec/.exec(told.at(-1) ?? '')?.[1]),
    // start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
    'java-consume': Number(read.at(-1)?.split(',')[9]),
  }
}
