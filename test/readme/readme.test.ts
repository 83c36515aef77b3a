/** What the documents show is true: their programs compile and run, their commands and the files they name exist. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { codeBlocks, programsOf } from './markdown.js'
import { runProgram, typeErrors } from './program.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

/** What npm itself knows; everything else after `npm` must be a script. */
const npmCommands = new Set(['ci', 'install', 'i', 'pack'])

const scriptsIn = (shell: string): string[] =>
  [...shell.matchAll(/\bnpm (run )?(?:(?:-s|--silent|--prefix \S+) )*([\w:-]+)/g)]
    .filter((match) => match[1] !== undefined || !npmCommands.has(match[2]!))
    .map((match) => match[2]!)

const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']

describe.each(documents)('%s', (name) => {
  const path = join(root, name)

  it('is there', () => {
    expect(existsSync(path)).toBe(true)
  })
  if (!existsSync(path)) return

  const text = readFileSync(path, 'utf8')
  const blocks = codeBlocks(text)
  const programs = programsOf(blocks)

  if (programs.length > 0) {
    it('shows programs that compile', { timeout: 60_000 }, () => {
      const texts = new Map(programs.map(({ line, text: program }) => [`line-${line}`, program]))
      expect(typeErrors(texts)).toEqual([])
    })
  }

  for (const program of programs) {
    it.skipIf(program.notRun !== undefined)(
      `shows a program at line ${program.line} that runs`,
      { timeout: 60_000 },
      async () => {
        const output = await runProgram(program.text)
        if (program.output !== undefined) expect(output.trimEnd()).toBe(program.output.trimEnd())
      },
    )
  }

  it('names npm scripts that exist', () => {
    const shells = blocks.filter(({ language }) => ['sh', 'bash', 'shell'].includes(language))
    const inline = [...text.matchAll(/`(npm [^`\n]+)`/g)].map((match) => match[1]!)
    const named = [...shells.map((block) => block.text), ...inline].flatMap(scriptsIn)
    expect(named.filter((script) => !(script in scripts))).toEqual([])
  })

  it('names files that exist', () => {
    const links = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)].map((match) => match[1]!)
    const quoted = [...text.matchAll(/`((?:src|test|examples|benchmarks)\/[\w./-]*)`/g)].map(
      (match) => match[1]!,
    )
    expect([...links, ...quoted].filter((file) => !existsSync(join(root, file)))).toEqual([])
  })
})
