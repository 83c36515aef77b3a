/**
 * The code blocks of a Markdown file, and the comments before them, which a reader does not see:
 *
 * - `<!-- continues -->`: the block goes on where the `ts` block before it ended; both are run as one program.
 * - `<!-- setup: TEXT -->`: TypeScript that is put before the block, for names that the reader can imagine.
 * - `<!-- not run: WHY -->`: the block is only type-checked, because it needs what a test does not have.
 * - `<!-- output -->`: the block, of any language, is what the `ts` block before it prints.
 */

/** A fenced block. */
export interface CodeBlock {
  readonly language: string
  readonly text: string
  /** The line of the file at which the text begins, from 1. */
  readonly line: number
  readonly comments: readonly string[]
}

/** A program made of one `ts` block or of several that continue each other. */
export interface Program {
  readonly line: number
  readonly text: string
  /** Why it is not run; undefined when it is. */
  readonly notRun: string | undefined
  /** What it must print; undefined when nothing is said. */
  readonly output: string | undefined
}

const fence = /^(`{3,})(\w*)[^\n]*\n([\s\S]*?)^\1[ \t]*$/gm
/** Comments that stand directly before the fence: only blank space between. */
const trailingComments = /(?:<!--(?:(?!-->)[\s\S])*-->\s*)+$/

/** The fenced blocks of `markdown`, in order. */
export const codeBlocks = (markdown: string): CodeBlock[] =>
  [...markdown.matchAll(fence)].map((match) => {
    const before = markdown.slice(0, match.index)
    const comments = trailingComments.exec(before)?.[0] ?? ''
    return {
      language: match[2]!,
      text: match[3]!,
      line: before.split('\n').length + 1,
      comments: [...comments.matchAll(/<!--\s*([\s\S]*?)\s*-->/g)].map((comment) => comment[1]!),
    }
  })

/** The programs that the `ts` blocks make up. @throws Error for a comment that means nothing here, or out of place. */
export const programsOf = (blocks: readonly CodeBlock[]): Program[] => {
  const programs: Program[] = []
  for (const block of blocks) {
    const last = programs.at(-1)
    if (block.comments.includes('output')) {
      if (last === undefined) throw new Error(`line ${block.line}: output of no program`)
      programs[programs.length - 1] = { ...last, output: block.text }
      continue
    }
    if (block.language !== 'ts') continue
    let setup = ''
    let notRun: string | undefined
    for (const comment of block.comments) {
      const [, name, value] = /^(continues|setup|not run)(?::\s*([\s\S]*))?$/.exec(comment) ?? []
      if (name === 'setup') setup += `${value ?? ''}\n`
      else if (name === 'not run') notRun = value ?? ''
      else if (name === undefined)
        throw new Error(`line ${block.line}: unknown comment '${comment}' before a block`)
    }
    const text = setup + block.text
    if (!block.comments.includes('continues')) {
      programs.push({ line: block.line, text, notRun, output: undefined })
    } else if (last === undefined) {
      throw new Error(`line ${block.line}: continues no program`)
    } else {
      programs[programs.length - 1] = { ...last, text: last.text + text, notRun: last.notRun ?? notRun }
    }
  }
  return programs
}
