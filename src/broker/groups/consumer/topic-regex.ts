/**
 * Regular expressions that members subscribe with: the part of RE2's syntax that names of topics can make use of, read
 * into an automaton that is in all states it may be in at once. So no expression takes longer than its length times
 * that of the name, and a client cannot hold the broker up with one. Kafka uses RE2/J for the same reason.
 */
import { OttlaError } from '../../../runtime/errors/ottla-error.js'

/** The most states of an automaton: `x{1000}` of a long `x` has one for each character. */
const MAX_STATES = 20_000

/** A state: eats a character that `eats` allows, or none, and goes on in any of `next`. */
interface State {
  readonly eats: ((code: number) => boolean) | undefined
  readonly next: number[]
}

/** The names among `names` that all of `regex` matches, in order. */
export const matchingTopics = (regex: string, names: Iterable<string>): string[] => {
  const automaton = new Automaton(regex)
  return [...names].filter((name) => automaton.matches(name)).sort()
}

/**
 * Checks an expression.
 * @throws OttlaError INVALID_REGULAR_EXPRESSION.
 */
export const checkTopicRegex = (regex: string): void => {
  new Automaton(regex)
}

/** A part of an automaton: where one comes in, and the states that lead out. */
interface Part {
  readonly start: number
  readonly ends: readonly number[]
}

type Eats = (code: number) => boolean

const code = (character: string): number => character.charCodeAt(0)
const between =
  (low: string, high: string): Eats =>
  (at) =>
    at >= code(low) && at <= code(high)
const isDigit = between('0', '9')
const isWord: Eats = (at) => isDigit(at) || between('a', 'z')(at) || between('A', 'Z')(at) || at === code('_')
const isSpace: Eats = (at) => at === 32 || (at >= 9 && at <= 13 && at !== 11)
const not =
  (eats: Eats): Eats =>
  (at) =>
    !eats(at)

/** Kinds of characters that are written with a backslash. */
const KINDS: Readonly<Record<string, Eats>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
}

class Automaton {
  readonly #regex: string
  readonly #states: State[] = []
  readonly #start: number
  readonly #end: number
  #at = 0
  #isCaseless = false

  constructor(regex: string) {
    this.#regex = regex
    const { start, ends } = this.#alternatives()
    if (this.#at < regex.length) throw this.#wrong('unexpected )')
    this.#start = start
    this.#end = this.#state()
    this.#lead(ends, this.#end)
  }

  /** Whether all of `text` is matched. */
  matches(text: string): boolean {
    let current = this.#reach([this.#start])
    for (let index = 0; index < text.length && current.size > 0; index++) {
      const eaten: number[] = []
      for (const at of current) {
        const { eats, next } = this.#states[at] ?? NOWHERE
        if (eats?.(text.charCodeAt(index)) === true) eaten.push(...next)
      }
      current = this.#reach(eaten)
    }
    return current.has(this.#end)
  }

  /** All states that can be reached without a character. */
  #reach(from: readonly number[]): Set<number> {
    const reached = new Set<number>()
    const left = [...from]
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      if (reached.has(at)) continue
      reached.add(at)
      const { eats, next } = this.#states[at] ?? NOWHERE
      if (eats === undefined) left.push(...next)
    }
    return reached
  }

  #alternatives(): Part {
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    const [only] = parts
    if (parts.length === 1 && only !== undefined) return only
    return {
      start: this.#state(
        undefined,
        parts.map(({ start }) => start),
      ),
      ends: parts.flatMap(({ ends }) => ends),
    }
  }

  #sequence(): Part {
    const start = this.#state()
    let ends: readonly number[] = [start]
    while (this.#at < this.#regex.length && !'|)'.includes(this.#peek())) {
      const part = this.#repeated()
      this.#lead(ends, part.start)
      ends = part.ends
    }
    return { start, ends }
  }

  #repeated(): Part {
    const from = this.#at
    let part = this.#atom()
    const to = this.#at
    for (let count = 0; ; count++) {
      const [min, max] = this.#quantifier() ?? []
      if (min === undefined || max === undefined) return part
      // RE2 refuses what repeats a repetition; a question mark after it only changes what is preferred.
      if (count > 0) throw this.#wrong('invalid nested repetition operator')
      this.#take('?')
      const after = this.#at
      part = this.#times(part, min, max, () => {
        this.#at = from
        const again = this.#atom()
        if (this.#at !== to) throw this.#wrong('missing argument to repetition operator')
        return again
      })
      this.#at = after
    }
  }

  /** `first`, and as many more as may or must be. */
  #times(first: Part, min: number, max: number, another: () => Part): Part {
    const start = this.#state()
    let ends: number[] = [start]
    const out: number[] = min === 0 ? [start] : []
    const most = max === Infinity ? Math.max(min, 1) : max
    for (let count = 1; count <= most; count++) {
      const part = count === 1 ? first : another()
      this.#lead(ends, part.start)
      ends = [...part.ends]
      if (count >= min) out.push(...ends)
      if (count === most && max === Infinity) this.#lead(ends, part.start)
    }
    return { start, ends: out }
  }

  /** How often, at least and at most; undefined where nothing is repeated. */
  #quantifier(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity]
    if (this.#take('+')) return [1, Infinity]
    if (this.#take('?')) return [0, 1]
    const [all, min, comma, max] = /^\{(\d+)(,?)(\d*)\}/.exec(this.#regex.slice(this.#at)) ?? []
    if (all === undefined) return undefined
    this.#at += all.length
    const least = Number(min)
    const most = comma === '' ? least : max === '' ? Infinity : Number(max)
    if (least > most || least > 1000 || (most > 1000 && most !== Infinity))
      throw this.#wrong('bad repetition operator')
    return [least, most]
  }

  #atom(): Part {
    const character = this.#peek()
    this.#at++
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return this.#eating(this.#class())
      case '.':
        return this.#eating((at) => at !== 10)
      // All of a name has to be matched, so that its ends are where they are anyway.
      case '^':
      case '$':
        return this.#anchor(character)
      case '*':
      case '+':
      case '?':
        throw this.#wrong('missing argument to repetition operator')
      case '\\':
        return this.#eating(this.#escaped())
      default:
        return this.#eating(this.#literal(character))
    }
  }

  #group(): Part {
    const wasCaseless = this.#isCaseless
    if (this.#take('?')) {
      const [all, flags, end] = /^(i?)([:)])/.exec(this.#regex.slice(this.#at)) ?? []
      const [named] = /^P?<[A-Za-z_]\w*>/.exec(this.#regex.slice(this.#at)) ?? []
      if (all === undefined && named === undefined) throw this.#wrong('invalid or unsupported Perl syntax')
      this.#at += (all ?? named ?? '').length
      if (flags === 'i') this.#isCaseless = true
      // From here to the end of the group around it.
      if (end === ')') return this.#nothing()
    }
    const part = this.#alternatives()
    if (!this.#take(')')) throw this.#wrong('missing closing )')
    this.#isCaseless = wasCaseless
    return part
  }

  #class(): Eats {
    const isNegated = this.#take('^')
    const kinds: Eats[] = []
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      if (this.#at >= this.#regex.length) throw this.#wrong('missing closing ]')
      kinds.push(this.#classItem())
    }
    this.#at++
    const isIn: Eats = (at) => kinds.some((kind) => kind(at))
    return isNegated ? not(isIn) : isIn
  }

  #classItem(): Eats {
    const low = this.#peek()
    this.#at++
    if (low === '\\') return this.#escaped()
    const rest = this.#regex.slice(this.#at)
    if (!rest.startsWith('-') || rest[1] === undefined || rest[1] === ']') return this.#literal(low)
    const high = rest[1] === '\\' ? (rest[2] ?? '') : rest[1]
    this.#at += rest[1] === '\\' ? 3 : 2
    if (code(low) > code(high)) throw this.#wrong('invalid character class range')
    const isIn = between(low, high)
    if (!this.#isCaseless) return isIn
    return (at) => bothCases(at).some(isIn)
  }

  /** What stands behind a backslash: a kind of characters, or a sign that means itself. */
  #escaped(): Eats {
    const character = this.#peek()
    this.#at++
    const kind = KINDS[character]
    if (kind !== undefined) return kind
    if (character === '') throw this.#wrong('trailing backslash at end of expression')
    if (isWord(code(character)) && character !== '_') throw this.#wrong('invalid escape sequence')
    return this.#literal(character)
  }

  #literal(character: string): Eats {
    const wanted = this.#isCaseless ? bothCases(code(character)) : [code(character)]
    return (at) => wanted.includes(at)
  }

  /** The end of a text matches only where nothing follows, its start only where nothing comes before. */
  #anchor(character: string): Part {
    const before = this.#regex.slice(0, this.#at - 1)
    const isAtEdge =
      character === '^' ? /(^|[(|:])$/.test(before) : /^($|[)|])/.test(this.#regex.slice(this.#at))
    if (!isAtEdge) throw this.#wrong(`${character} in the middle of an expression`)
    return this.#nothing()
  }

  #nothing(): Part {
    const start = this.#state()
    return { start, ends: [start] }
  }

  #eating(eats: Eats): Part {
    const start = this.#state(eats)
    return { start, ends: [start] }
  }

  #state(eats?: Eats, next: number[] = []): number {
    if (this.#states.length >= MAX_STATES) throw this.#wrong('expression too large')
    return this.#states.push({ eats, next }) - 1
  }

  #lead(ends: readonly number[], to: number): void {
    for (const end of ends) this.#states[end]?.next.push(to)
  }

  #peek(): string {
    return this.#regex.charAt(this.#at)
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false
    this.#at++
    return true
  }

  #wrong(why: string): OttlaError {
    return new OttlaError(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex \`${this.#regex}\` is not a valid regular expression: ${why}.`,
    )
  }
}

const NOWHERE: State = { eats: undefined, next: [] }

const bothCases = (at: number): number[] => {
  const character = String.fromCharCode(at)
  return [code(character.toLowerCase()), code(character.toUpperCase())]
}
