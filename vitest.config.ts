import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { switchPlugin } from './test/switches/plugin.js'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** A rule that is broken on purpose, for `npm run test:torture -- switches`. */
const switchName = process.env.OTTLA_SWITCH

export default defineConfig({
  plugins: switchName === undefined ? [] : [switchPlugin(switchName)],
  resolve: {
    alias: [
      { find: /^ottla$/, replacement: source('index.ts') },
      {
        find: /^ottla\/storage\/(memory|level|file|test-suite)$/,
        replacement: source('storage/$1/index.ts'),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/interop/**', 'test/torture/**'],
    setupFiles: switchName === undefined ? [] : ['test/switches/determined.ts'],
    testTimeout: 20_000,
    pool: 'forks',
  },
})
