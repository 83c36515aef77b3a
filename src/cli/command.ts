/** The command line: what it takes, its help, and what the process ends with. */
import { Command, CommanderError } from 'commander'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { ErrorCode } from '../runtime/errors/error-table.js'
import { fromCommandLine, withConfigFile } from './given.js'
import { Log } from './log.js'
import { SERVE_OPTIONS } from './options.js'
import { serve } from './serve.js'
import { logStyleOf, settingsOf } from './settings.js'
import type { World } from './world.js'

/** What the process ends with. */
const EXIT = { stopped: 0, failed: 1, wrongUsage: 2 } as const

/** The errors that the command line has to be changed for. */
const WRONG_USAGE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'UNKNOWN_OPTION',
  'INVALID_CONFIG',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_PARTITIONS',
])

const EXAMPLES = `
Examples:
  ottla serve                                             in memory, on 127.0.0.1:9092
  ottla serve --data ./data --topic orders:3              on disk, with a topic of three partitions
  ottla serve --memory --listen 127.0.0.1:0 --json        for a test: a free port, lines for a program
  ottla serve --data ./data --listen 0.0.0.0:9093 \\
    --advertise kafka.example.org:9093 \\
    --tls-cert cert.pem --tls-key key.pem \\
    --sasl SCRAM-SHA-512 --sasl-users users.json          for other machines: by TLS, with passwords
  ottla serve --config ottla.json                         { "data": "./data", "topic": ["orders:3"] }

As soon as clients can connect, a line on the standard output says so:
  ready PLAINTEXT://127.0.0.1:9092

SIGTERM and SIGINT (Ctrl-C) stop it well; a second one ends it at once.
It ends with 0 when it stopped well, 1 when it failed, 2 when the command line is wrong.`

/** Runs what the command line asks for, to its end. */
export const runCommand = async (world: World): Promise<void> => {
  const { program } = world
  // Until the options are read: they may be what is wrong.
  let log = new Log({ isJson: program.args.includes('--json'), level: 'info' }, world)
  const command = describeCommand(world, async (values) => {
    const { config, ...options } = values
    let given = fromCommandLine(options)
    if (typeof config === 'string') given = await withConfigFile(given, config, world)
    log = new Log(logStyleOf(given), world)
    await serve(settingsOf(given), log, world)
  })
  try {
    await command.parseAsync(program.args, { from: 'user' })
    program.endWith(EXIT.stopped)
  } catch (error) {
    program.endWith(tell(error, log))
  }
}

/** Says what went wrong; returns what to end with. */
const tell = (error: unknown, log: Log): number => {
  if (error instanceof CommanderError) {
    // Help and version were asked for, and are printed.
    if (error.exitCode === 0) return EXIT.stopped
    if (error.code !== 'commander.help')
      log.error('wrongUsage', error.message.replace(/^error: /, '').replaceAll('\n', ' '))
    return EXIT.wrongUsage
  }
  const code = OttlaError.is(error) ? error.code : undefined
  const isUsage = code !== undefined && WRONG_USAGE.has(code)
  const message = error instanceof Error ? error.message : String(error)
  log.error(isUsage ? 'wrongUsage' : 'failed', message, code === undefined ? {} : { code })
  if (code === undefined && error instanceof Error) log.debug('stack', error.stack ?? '')
  return isUsage ? EXIT.wrongUsage : EXIT.failed
}

const describeCommand = (
  { program }: World,
  onServe: (values: Readonly<Record<string, unknown>>) => Promise<void>,
): Command => {
  const root = new Command('ottla')
    .description('A Kafka in one process: every Kafka client connects to it.')
    .version(program.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => program.print(text.trimEnd()),
      // The help that a command without a name gets.
      writeErr: (text) => program.report(text.trimEnd()),
      // Errors are thrown too, and told like all others.
      outputError: () => undefined,
    })
  const command = root
    .command('serve')
    .description('Run a broker that Kafka clients connect to.')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError()
    .addHelpText('after', EXAMPLES)
  for (const { option } of Object.values(SERVE_OPTIONS)) command.addOption(option)
  command.option(
    '--config <file>',
    'take options from a JSON file, under their long names; those given here come first',
  )
  command.action((values: Readonly<Record<string, unknown>>) => onServe(values))
  return root
}
