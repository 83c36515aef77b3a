/** `npm run test:torture`: what a log must survive. Bounded, and ends by itself; `-- crash --rounds N --seed N`. */
import { runSuites } from '../support/suite-command.js'
import { crash } from './crash.js'

await runSuites('test:torture', [crash])
