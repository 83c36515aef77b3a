import { defineConfig } from 'tsup'

/**
 * The benchmarks, built as the package is. Run from the sources, what they measure of Ottla's inside would carry what
 * a TypeScript loader adds to each file: the encoder alone is a third slower there than in the package.
 */
export default defineConfig({
  entry: { run: 'benchmarks/run.ts', 'growth-process': 'benchmarks/growth/process.ts' },
  outDir: 'benchmarks/dist',
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  splitting: true,
  clean: true,
  dts: false,
  skipNodeModulesBundle: true,
})
