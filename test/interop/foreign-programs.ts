/** The programs of python/ and go/: what they need, fetched once, and how to call them. */
import { fileURLToPath } from 'node:url'
import { Skipped } from '../support/suite-command.js'
import { has, prepared, type Command } from './process.js'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** How to call a script of python/. @throws Skipped where Python, or what it needs, is missing. */
export const pythonCommand =
  (script: string): (() => Command) =>
  () => {
    if (!has('python3', '--version')) throw new Skipped('python3 is not on this machine')
    const environment = prepared('python-1', (target) => [
      { file: 'python3', args: ['-m', 'venv', target] },
      {
        file: `${target}/bin/python`,
        args: ['-m', 'pip', 'install', '-q', '-r', `${folder}python/requirements.txt`],
      },
    ])
    return { file: `${environment}/bin/python`, args: [`${folder}python/${script}`] }
  }

/** How to call the program of go/. @throws Skipped where Go, or what it needs, is missing. */
export const goCommand = (): Command => {
  if (!has('go', 'version')) throw new Skipped('go is not on this machine')
  const built = prepared('go-2', (target) => [
    { file: 'go', args: ['build', '-C', `${folder}go`, '-o', `${target}/exchange`, '.'] },
  ])
  return { file: `${built}/exchange`, args: [] }
}
