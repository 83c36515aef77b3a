import { defineConfig, type Options } from 'tsup'

const library = {
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
  // What the command's build writes at the same time is its own.
  clean: ['!cli.js'],
  dts: true,
  treeshake: true,
} as const satisfies Options

/**
 * The command, `ottla`: a program over the library as any other, but for commander, which it brings along: the
 * dependencies of the package are those of the library.
 */
const command = {
  entry: { cli: 'src/cli/main.ts' },
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  external: [/^ottla(\/|$)/],
  noExternal: ['commander'],
  // Commander is CommonJS, and requires Node's own modules.
  banner: {
    js: "import { createRequire as bundledRequire } from 'node:module'\nconst require = bundledRequire(import.meta.url)",
  },
} as const satisfies Options

export default defineConfig([library, command])
