/** A program of a Markdown file, checked and run as a reader would: by TypeScript, and in an empty folder. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))
const tsconfig = join(root, 'tsconfig.json')
const RUN_LIMIT_MS = 30_000

const compilerOptions = (): ts.CompilerOptions => {
  const read = ts.readConfigFile(tsconfig, (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, root)
  // A short example may name what it does not use.
  return { ...options, noUnusedLocals: false, noUnusedParameters: false }
}

/** The errors that TypeScript finds in `texts`, as `name:line: message`; the names are those of the texts. */
export const typeErrors = (texts: ReadonlyMap<string, string>): string[] => {
  const options = compilerOptions()
  const host = ts.createCompilerHost(options)
  const files = new Map([...texts].map(([name, text]) => [join(root, `${name}.mts`), text]))
  const onDisk = { exists: host.fileExists.bind(host), read: host.readFile.bind(host) }
  host.fileExists = (path) => files.has(path) || onDisk.exists(path)
  host.readFile = (path) => files.get(path) ?? onDisk.read(path)
  const parse = host.getSourceFile.bind(host)
  host.getSourceFile = (path, target, ...others) => {
    const text = files.get(path)
    return text === undefined
      ? parse(path, target, ...others)
      : ts.createSourceFile(path, text, target, true, ts.ScriptKind.TS)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)
    if (source === undefined) throw new Error(`${path} is not in the program`)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start, messageText }) => {
        const line = source.getLineAndCharacterOfPosition(start ?? 0).line + 1
        const name = path.slice(root.length, -'.mts'.length)
        return `${name}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
      },
    )
  })
}

/** Runs `text` in a folder that is empty but for the packages, and returns what it printed. @throws Error when it fails. */
export const runProgram = async (text: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'ottla-readme-'))
  try {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
    await writeFile(join(folder, 'program.mts'), text)
    return await new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), 'program.mts'], {
        cwd: folder,
        env: { ...process.env, TSX_TSCONFIG_PATH: tsconfig, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: RUN_LIMIT_MS,
        killSignal: 'SIGKILL',
      })
      let output = ''
      let errors = ''
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
      child.on('error', reject)
      child.on('close', (code, signal) => {
        if (code === 0) resolve(output)
        else if (signal !== null)
          reject(new Error(`did not end by itself within ${RUN_LIMIT_MS} ms\n${output}${errors}`))
        else reject(new Error(`ended with ${code}\n${output}${errors}`))
      })
    })
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
