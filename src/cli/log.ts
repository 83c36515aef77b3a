/**
 * What the command says: one line that it is ready on the standard output, everything else on the standard error.
 * Lines are for people, or JSON objects with `time`, `level`, `event` and what belongs to the event.
 */
import type { World } from './world.js'

/** From what is always said to what only `--verbose` says. */
const LEVELS = ['error', 'warn', 'info', 'debug'] as const

/** How much a line matters. */
export type LogLevel = (typeof LEVELS)[number]

/** How a log speaks. */
export interface LogStyle {
  /** Whether lines are JSON; default false. */
  readonly isJson: boolean
  /** The last level that is said. */
  readonly level: LogLevel
}

/** The values of a line, by name. */
export type LogDetails = Readonly<Record<string, unknown>>

/** Says what happens. */
export class Log {
  readonly style: LogStyle
  readonly #world: World

  constructor(style: LogStyle, world: World) {
    this.style = style
    this.#world = world
  }

  error(event: string, message: string, details?: LogDetails): void {
    this.#say('error', event, message, details)
  }

  warn(event: string, message: string, details?: LogDetails): void {
    this.#say('warn', event, message, details)
  }

  info(event: string, message: string, details?: LogDetails): void {
    this.#say('info', event, message, details)
  }

  debug(event: string, message: string, details?: LogDetails): void {
    this.#say('debug', event, message, details)
  }

  /** The line that is waited for: it goes to the standard output, at every level. */
  ready(addresses: readonly string[], details: LogDetails): void {
    const { program } = this.#world
    if (this.style.isJson) program.print(this.#json('info', 'ready', `ready ${addresses.join(' ')}`, details))
    else program.print(`ready ${addresses.join(' ')}`)
  }

  #say(level: LogLevel, event: string, message: string, details: LogDetails = {}): void {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.style.level)) return
    this.#world.program.report(this.#line(level, event, message, details), (count) =>
      this.#line(
        'warn',
        'linesLeftOut',
        `${count} lines were left out: nobody read the ones before fast enough.`,
        {
          count,
        },
      ),
    )
  }

  #line(level: LogLevel, event: string, message: string, details: LogDetails): string {
    if (this.style.isJson) return this.#json(level, event, message, details)
    return `${this.#time()} ${level.padEnd(5)} ${message}`
  }

  #json(level: LogLevel, event: string, message: string, details: LogDetails): string {
    return JSON.stringify({ time: this.#time(), level, event, message, ...details })
  }

  #time(): string {
    return new Date(this.#world.clock.now()).toISOString()
  }
}
