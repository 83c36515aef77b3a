/** What was given: the command line, and the config file beneath it. */
import { readUtf8 } from '../runtime/bytes.js'
import { invalidArgument, OttlaError } from '../runtime/errors/ottla-error.js'
import { checkOptions } from '../runtime/options.js'
import { SERVE_OPTIONS, type GivenOptions } from './options.js'
import type { World } from './world.js'

const RULES = Object.fromEntries(Object.entries(SERVE_OPTIONS).map(([name, { rule }]) => [name, rule]))

/** Who gives the first on the command line does not mean what the config file says of the others. */
const REPLACES: readonly (readonly [keyof GivenOptions, readonly (keyof GivenOptions)[]])[] = [
  ['memory', ['data', 'storage', 'durability']],
  ['data', ['memory']],
  ['listen', ['advertise']],
  ['quiet', ['verbose']],
  ['verbose', ['quiet']],
]

/** What the command line says, by the attribute names of its options. */
export const fromCommandLine = (values: Readonly<Record<string, unknown>>): GivenOptions =>
  checked(
    'ottla serve',
    Object.fromEntries(
      Object.entries(SERVE_OPTIONS).map(([name, { option }]) => [name, values[option.attributeName()]]),
    ),
  )

/**
 * Adds what the config file says: an option of the command line comes before the file's, and broker configs are put
 * together one by one.
 * @throws OttlaError INVALID_ARGUMENT for a file that is not there or not JSON, and for a value; UNKNOWN_OPTION for a
 * name.
 */
export const withConfigFile = async (
  commandLine: GivenOptions,
  path: string,
  { files }: World,
): Promise<GivenOptions> => {
  const file: Partial<Record<keyof GivenOptions, unknown>> = { ...checked(path, await readJson(path, files)) }
  for (const [name, others] of REPLACES) {
    if (commandLine[name] !== undefined) for (const other of others) file[other] = undefined
  }
  const told = Object.entries(commandLine).filter(([, value]) => value !== undefined)
  const set = { ...(file.set as GivenOptions['set']), ...commandLine.set }
  return checked(path, { ...file, ...Object.fromEntries(told), set })
}

const checked = (owner: string, given: object): GivenOptions =>
  checkOptions(owner, RULES, given) as GivenOptions

const readJson = async (path: string, files: World['files']): Promise<object> => {
  const bytes = await files.read(path)
  if (bytes === undefined) throw invalidArgument('--config', path, 'a file that is there')
  try {
    const value: unknown = JSON.parse(readUtf8(bytes, 0, bytes.length))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (cause) {
    throw new OttlaError('INVALID_ARGUMENT', `--config ${path} is no JSON: ${(cause as Error).message}`, {
      cause,
    })
  }
  throw new OttlaError(
    'INVALID_ARGUMENT',
    `--config ${path} holds no object; expected one with the names of the options, for instance { "data": "./data" }.`,
  )
}
