/**
 * Breaks each point of the proxy's contract in a copy of the tree, and sees that the tests beside it fail:
 * `npm run mutations`, or `POINT=7 npm run mutations` for one. It takes some minutes, so `npm test` leaves it out.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { ROOT } from '../../support/deploy-files.js'
import { MUTATIONS } from './points.js'

t.setTimeout(3_600_000)

/** A test that hangs has failed. */
const PATIENCE_MS = 150_000

const only = process.env.POINT
const mutations = MUTATIONS.filter(({ point }) => only === undefined || point === Number(only))
const copy = mkdtempSync(join(tmpdir(), 'cropvlm-mutations-'))
t.teardown(() => rmSync(copy, { recursive: true }))

/** One file of the copy, as JavaScript. */
function compile(path: string, text = readFileSync(join(ROOT, path), 'utf8')): void {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  const to = join(copy, path.replace(/\.ts$/, '.js'))
  mkdirSync(dirname(to), { recursive: true })
  writeFileSync(to, ts.transpileModule(text, { compilerOptions }).outputText)
}

const testFolders = mutations.flatMap(({ tests }) => tests.map(test => dirname(join('test', test))))
for (const folder of ['src', 'test/support', ...new Set(testFolders)])
  for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = relative(ROOT, join(entry.parentPath, entry.name))
    if (path.endsWith('.ts')) compile(path)
    else cpSync(join(ROOT, path), join(copy, path))
  }
cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'))
for (const name of ['node_modules', 'models', 'docs', 'README.md', 'test/fixtures', 'integrations'])
  symlinkSync(join(ROOT, name), join(copy, name))

/** Whether the test passes, and what it says. */
function run(test: string): Promise<{ passes: boolean; output: string }> {
  return new Promise(resolve => {
    const env = { ...process.env, TAP_BAIL: '1' }
    const child = spawn(process.execPath, [join(copy, 'test', `${test}.test.js`)], { cwd: copy, env })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        output += chunk
      })
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    child.once('close', code => {
      clearTimeout(timer)
      resolve({ passes: code === 0, output })
    })
  })
}

t.test('unbroken, every test passes', async t => {
  for (const test of new Set(mutations.flatMap(({ tests }) => tests))) {
    const { passes, output } = await run(test)
    t.ok(passes, test, passes ? {} : { output })
  }
})

for (const { point, what, file, search, replace, tests } of mutations)
  t.test(`point ${point}: ${what}`, async t => {
    const path = join('src', file)
    const text = readFileSync(join(ROOT, path), 'utf8')
    t.equal(text.split(search).length, 2, search)
    compile(
      path,
      text.replace(search, () => replace),
    )
    for (const test of tests) t.notOk((await run(test)).passes, `${test} fails`)
    compile(path)
  })
