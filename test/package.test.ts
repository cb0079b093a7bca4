/** What a package of the service holds, and how it starts without a compiler. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ROOT, readText } from './support/deploy-files.js'

const MANIFEST = JSON.parse(readText('package.json')) as { files: string[]; scripts: Record<string, string> }
const SCRIPTS = Object.fromEntries(['built.mjs', 'copy-page.mjs'].map(name => [name, readText(`scripts/${name}`)]))
const STUB = 'require("node:fs").writeFileSync("compiled", process.argv.slice(2).join(" "))'

// starts processes, which takes its time on a busy machine
t.setTimeout(120_000)

t.test('all that a package lists is there', async t => {
  // made by `npm run package`
  for (const path of MANIFEST.files.filter(path => path !== 'dist')) t.ok(existsSync(join(ROOT, path)), path)
  t.match(MANIFEST.scripts.package, /npm run -s build && npm pack$/)
  for (const name of ['start', 'models', 'eval']) t.match(MANIFEST.scripts[name], /^npm run -s built && /, name)
  t.equal(MANIFEST.scripts.built, 'node scripts/built.mjs')
})

/** Runs `built.mjs` in a folder with these files. */
function built(t: Test, files: Record<string, unknown>) {
  const dir = t.testdir({ ...files, scripts: SCRIPTS })
  const { status, stderr } = spawnSync(process.execPath, ['scripts/built.mjs'], { cwd: dir, encoding: 'utf8' })
  const compiled = join(dir, 'compiled')
  const page = join(dir, 'dist/page')
  return {
    status,
    stderr,
    compiled: existsSync(compiled) ? readFileSync(compiled, 'utf8') : null,
    page: existsSync(page) ? readdirSync(page).sort() : null,
  }
}

const dist = { 'main.js': '' }
const src = { 'main.ts': '' }
const compiler = (code: string) => ({ typescript: { bin: { tsc: code }, 'package.json': '{"type": "commonjs"}' } })

t.test('a checkout compiles its sources', async t => {
  t.match(built(t, { src, node_modules: compiler(STUB) }), { status: 0, compiled: '-p tsconfig.build.json' })
  t.match(built(t, { src, dist, node_modules: compiler('process.exit(2)') }), { status: 2 }, 'and says that it failed')
  const page = { 'index.html': '', style: { 'base.css': '' } }
  const old = { ...dist, page: { 'old.js': '' } }
  const copied = built(t, { src: { ...src, page }, dist: old, node_modules: compiler(STUB) })
  t.match(copied, { status: 0, page: ['index.html', 'style'] }, 'and copies the page, without what is gone from it')
})

t.test('a package, and an installation without devDependencies, run what was built', async t => {
  t.match(built(t, { dist, node_modules: compiler(STUB) }), { status: 0, compiled: null })
  t.match(built(t, { dist, src }), { status: 0, compiled: null })
  t.match(built(t, { src }), { status: 1, stderr: /no dist\/ and no compiler .*npm install/ })
})

t.test('npm knows every key of .npmrc', async t => {
  const { status, stderr } = spawnSync('npm', ['config', 'get', 'ignore-scripts'], { cwd: ROOT, encoding: 'utf8' })
  t.equal(status, 0)
  t.equal(stderr, '')
})
