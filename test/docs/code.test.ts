/** The blocks of code of every page can be read by what they are for, and name what there is. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { parse as parseYaml } from 'yaml'
import { COMMANDS } from '../../src/cli/commands/commands.js'
import { isGroup } from '../../src/cli/spec.js'
import { OPTIONS } from '../../src/config/service.js'
import { type Block, blocks, documents, ROOT } from './documents.js'

const SCRIPTS = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts,
)
const VARIABLES = new Set(OPTIONS.map(({ env }) => env))

/** What is wrong with a block, or null; by its language. */
const CHECKS: Readonly<Record<string, (code: string) => string | null>> = {
  sh: shell,
  json: code => thrown(() => JSON.parse(code)),
  yaml: code => thrown(() => parseYaml(code)),
  toml: code => run('python3', ['-c', 'import sys, tomllib; tomllib.loads(sys.stdin.read())'], code),
  js: script,
  ts: script,
  python: code => run('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], code),
  // a figure drawn with characters, or what a command prints
  text: () => null,
  '': () => null,
}

for (const document of documents())
  t.test(document.path, async t => {
    for (const block of blocks(document)) t.equal(problem(block), null, block.at)
  })

function problem({ language, code }: Block): string | null {
  const check = CHECKS[language]
  return check ? check(code) : `no check for a block of ${language}`
}

function shell(code: string): string | null {
  return run('sh', ['-n'], code) ?? unknownScript(code) ?? unknownCommand(code) ?? unknownVariable(code)
}

function unknownScript(code: string): string | null {
  const named = [...code.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name)
  return named.find(name => !SCRIPTS.includes(name)) ?? null
}

/** A command of `cropvlm`, or an option of one, that the table of commands does not have. */
function unknownCommand(code: string): string | null {
  // the options of the Inspector stand behind the command that it starts
  const ours = code.replace(/\\\n/g, ' ').replace(/^.*@modelcontextprotocol\/inspector.*$/gm, '')
  const lines = ours.matchAll(/(?:^|npx (?:-y )?)cropvlm ([a-z]+)([^\n|;&#]*)/gm)
  for (const [line, name, rest = ''] of lines) {
    const entry = COMMANDS.find(({ name: known }) => known === name)
    if (!entry) return line
    const [, inner] = /^ ([a-z]+)/.exec(rest) ?? []
    const command = isGroup(entry) ? entry.commands.find(({ name: known }) => known === inner) : entry
    if (!command) return line
    const options = [...rest.matchAll(/ --([\w-]+)/g)].map(([, option = '']) => option)
    if (options.some(option => !(option in command.options) && option !== 'help')) return line
  }
  return null
}

/** A variable that is set for the service and that it does not read. */
function unknownVariable(code: string): string | null {
  const lines = code.replace(/\\\n/g, ' ').split('\n')
  const starts = lines.filter(line => /(?:npm start|cropvlm serve|npm run (?:eval|boxes))/.test(line))
  const set = starts.flatMap(line => [...line.matchAll(/(?:^| )([A-Z][A-Z_]+)=/g)].map(([, name = '']) => name))
  return set.find(name => !VARIABLES.has(name) && name !== 'ONNXRUNTIME_NODE_INSTALL') ?? null
}

function script(code: string): string | null {
  const options = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext }
  const { diagnostics = [] } = ts.transpileModule(code, { reportDiagnostics: true, compilerOptions: options })
  const [first] = diagnostics
  return first ? ts.flattenDiagnosticMessageText(first.messageText, '\n') : null
}

function run(command: string, args: string[], input: string): string | null {
  const { status, stderr } = spawnSync(command, args, { input, encoding: 'utf8' })
  return status === 0 ? null : stderr
}

function thrown(read: () => unknown): string | null {
  try {
    read()
    return null
  } catch (error) {
    return (error as Error).message
  }
}
