/** `npm run test:interop`: Ottla against other people's implementations of Kafka, as far as this machine has them. */
import { runSuites } from '../support/suite-command.js'
import { exchange } from './exchange.js'
import { kafkaNames } from './kafka-names.js'
import { kafkaTools } from './kafka-tools.js'
import { recordFormat } from './record-format.js'
import { scenarios } from './scenarios.js'
import { security } from './security.js'
import { streams } from './streams.js'
import { transactions } from './transactions.js'

await runSuites('test:interop', [
  recordFormat,
  exchange,
  kafkaTools,
  security,
  transactions,
  streams,
  kafkaNames,
  scenarios,
])
