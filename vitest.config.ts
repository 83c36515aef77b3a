import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
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
    testTimeout: 20_000,
    pool: 'forks',
  },
})
