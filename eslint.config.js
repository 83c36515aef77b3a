import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/**
 * The layers, bottom first. A folder may import itself and what stands before it; `network` is the one
 * exception upward of `clients`, which talk to a `Channel` (protocol/) and never learn what carries it. `cli` is a
 * program that uses the package as others do, by its name; only the seams it takes from beneath.
 */
const layers = ['runtime', 'record', 'protocol', 'storage', 'log', 'broker', 'network', 'clients', 'cli']
const alsoForbidden = {
  clients: ['broker', 'network', 'log', 'storage'],
  cli: layers.filter((name) => name !== 'runtime' && name !== 'cli'),
}

const seams = {
  globals: ['setTimeout', 'setInterval', 'setImmediate', 'performance', 'process', 'crypto', 'Buffer'].map(
    (name) => ({
      name,
      message: 'Time, randomness, processes and native bytes come through the seams in src/runtime.',
    }),
  ),
  properties: [
    { object: 'Date', property: 'now', message: 'Ask the Clock (src/runtime/clock.ts).' },
    { object: 'Math', property: 'random', message: 'Ask the Random (src/runtime/random.ts).' },
  ],
}

const nodeModules = {
  group: ['node:*'],
  message: 'Only src/runtime/node may touch Node; everything else takes a seam.',
}

const layerRule = (layer) => {
  const above = layers.slice(layers.indexOf(layer) + 1)
  const forbidden = [...above, ...(alsoForbidden[layer] ?? [])]
  return {
    files: [`src/${layer}/**/*.ts`],
    ignores: ['src/runtime/node/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            nodeModules,
            {
              group: ['**/ottla.js', '**/index.js', '!./index.js', ...(layer === 'cli' ? [] : ['ottla'])],
              message: 'Import the file that owns the name.',
            },
            ...forbidden.map((name) => ({
              group: [`**/${name}/**`, '!ottla/**'],
              message: `src/${layer} is below src/${name}: an import only ever points down.`,
            })),
          ],
        },
      ],
    },
  }
}

export default tseslint.config(
  { ignores: ['**/dist', 'docs/api', 'coverage', '**/node_modules', 'eslint.config.js'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/promise-function-async': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    // The files that are the seams: what they wrap is theirs to name.
    ignores: ['src/runtime/node/**', 'src/runtime/{clock,random,bytes,crypto}.ts'],
    rules: {
      'no-restricted-globals': ['error', ...seams.globals],
      'no-restricted-properties': ['error', ...seams.properties],
      'no-restricted-imports': ['error', { patterns: [nodeModules] }],
    },
  },
  ...layers.map(layerRule),
  {
    files: ['test/**/*.ts', 'benchmarks/**/*.ts', 'examples/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
)
