/**
 * `npm run test:torture`: what a log must survive. Bounded, and ends by itself;
 * `-- storage --rounds N --seed N --storage level --durability fsync --part kills`.
 */
import { runSuites } from '../support/suite-command.js'
import { crash } from './crash.js'
import { external } from './external.js'
import { groups } from './groups.js'
import { listener } from './listener.js'
import { storage } from './storage.js'
import { DURABILITIES, STORAGES } from './storages.js'
import { switches } from './switches.js'
import { transactions } from './transactions.js'

await runSuites('test:torture', [crash, transactions, external, groups, storage, listener, switches], {
  storage: STORAGES.map(({ name }) => name),
  durability: DURABILITIES,
  part: ['kills', 'full-disk', 'surgery', 'rivals', 'power-loss', 'model'],
})
