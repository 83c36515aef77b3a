/** The runner of the documents' programs finds what it should, and would notice what is wrong. */
import { describe, expect, it } from 'vitest'
import { codeBlocks, programsOf } from './markdown.js'
import { runProgram, typeErrors } from './program.js'

const document = `# Title

\`\`\`ts
const one = 1
\`\`\`

Text between.

<!-- setup: const two = 2 -->
<!-- continues -->
\`\`\`ts
console.log(one + two)
\`\`\`

<!-- output -->
\`\`\`
3
\`\`\`

<!-- not run: needs a cluster -->

\`\`\`ts
const other = 'x'
\`\`\`

\`\`\`sh
npm start
\`\`\`
`

describe('the blocks of a document', () => {
  it('are found, with their lines and the comments before them', () => {
    expect(codeBlocks(document)).toEqual([
      { language: 'ts', text: 'const one = 1\n', line: 4, comments: [] },
      {
        language: 'ts',
        text: 'console.log(one + two)\n',
        line: 12,
        comments: ['setup: const two = 2', 'continues'],
      },
      { language: '', text: '3\n', line: 17, comments: ['output'] },
      { language: 'ts', text: "const other = 'x'\n", line: 23, comments: ['not run: needs a cluster'] },
      { language: 'sh', text: 'npm start\n', line: 27, comments: [] },
    ])
  })

  it('make programs', () => {
    expect(programsOf(codeBlocks(document))).toEqual([
      {
        line: 4,
        text: 'const one = 1\nconst two = 2\nconsole.log(one + two)\n',
        notRun: undefined,
        output: '3\n',
      },
      { line: 23, text: "const other = 'x'\n", notRun: 'needs a cluster', output: undefined },
    ])
  })

  it('may not be marked with what means nothing', () => {
    expect(() => programsOf(codeBlocks('<!-- continue -->\n```ts\n1\n```\n'))).toThrow(/line 3: unknown/)
    expect(() => programsOf(codeBlocks('<!-- continues -->\n```ts\n1\n```\n'))).toThrow(
      /continues no program/,
    )
  })
})

describe('a program', () => {
  it('that is wrong does not compile', { timeout: 60_000 }, () => {
    const errors = typeErrors(new Map([['wrong', "const text: string = 'a'\nconst count: number = text\n"]]))
    expect(errors).toEqual(["wrong:2: Type 'string' is not assignable to type 'number'."])
  })

  it('that fails is noticed, with what it printed', { timeout: 60_000 }, async () => {
    await expect(runProgram("console.log('so far')\nthrow new Error('on purpose')\n")).rejects.toThrow(
      /ended with 1\nso far[\s\S]*on purpose/,
    )
  })

  it('that runs gives what it printed', { timeout: 60_000 }, async () => {
    const text = 'const sum = await Promise.resolve(3)\nconsole.log(sum as number)\n'
    expect(await runProgram(text)).toBe('3\n')
  })
})
