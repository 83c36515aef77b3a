import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'storage/memory': 'src/storage/memory/index.ts',
    'storage/level': 'src/storage/level/index.ts',
    'storage/file': 'src/storage/file/index.ts',
    'storage/test-suite': 'src/storage/test-suite/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  clean: true,
  dts: true,
  treeshake: true,
})
