/** What makes a run of the tests see the source with one rule broken. */
import type { Plugin } from 'vitest/config'
import { broken, ROOT } from './switch.js'
import { switchNamed } from './switches.js'

export const switchPlugin = (name: string): Plugin => {
  const one = switchNamed(name)
  return {
    name: 'ottla-switch',
    enforce: 'pre',
    transform: (source, id) => (id === ROOT + one.file ? broken(one, source) : null),
  }
}
