/** What a package of the service holds, and how it starts without a compiler. `scripts/try-package.sh` installs one. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ROOT, readText } from './support/deploy-files.js'

interface Manifest {
  files: string[]
  scripts: Record<string, string>
  bin: Record<string, string>
  main: string
  types: string
  exports: Record<string, string | { types: string; default: string }>
  sideEffects: string[]
}

const MANIFEST = JSON.parse(readText('package.json')) as Manifest
const SCRIPTS = Object.fromEntries(['built.mjs', 'after-compile.mjs'].map(name => [name, readText(`scripts/${name}`)]))
const STUB = 'require("node:fs").writeFileSync("compiled", process.argv.slice(2).join(" "))'

// starts processes, which takes its time on a busy machine
t.setTimeout(120_000)

const MODEL = [
  'README.md',
  'chat_template.json',
  'config.json',
  'cropvlm.json',
  'generation_config.json',
  ...['decoder_model_merged', 'embed_tokens', 'vision_encoder'].flatMap(name => [
    `onnx/${name}.onnx`,
    `onnx/${name}_int8.onnx`,
  ]),
  'preprocessor_config.json',
  'processor_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
]

/** All but `dist`, whose files `scripts/try-package.sh` compares with those of `src`. */
const CONTENTS = [
  'CHANGELOG.md',
  'CITATION.cff',
  'LICENSE',
  'NOTICE',
  'README.md',
  'SECURITY.md',
  ...['cropvlm-mini', 'cropvlm-receipts', 'smolvlm-mini'].flatMap(name => MODEL.map(file => `models/${name}/${file}`)),
  'models/README.md',
  'package.json',
  'scripts/built.mjs',
  'scripts/without-cuda.cjs',
]

t.test('a package holds what it needs and nothing else', async t => {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json'], { cwd: ROOT, encoding: 'utf8' })
  t.equal(status, 0, stderr)
  const [{ files, size }] = JSON.parse(stdout) as [{ files: { path: string }[]; size: number }]
  const paths = files.map(({ path }) => path)
  t.same(paths.filter(path => !path.startsWith('dist/')).sort(), CONTENTS.sort())
  t.same(
    paths.filter(path => path.endsWith('.map')),
    [],
  )
  t.ok(size < 45_000_000, `${size} bytes`)
  t.match(MANIFEST.scripts.package, /npm run -s build && npm pack$/)
  for (const name of ['start', 'models', 'eval']) t.match(MANIFEST.scripts[name], /^npm run -s built && /, name)
  t.equal(MANIFEST.scripts.built, 'node scripts/built.mjs')
})

t.test('each door of the package is made of a source', async t => {
  const { bin, main, types, exports, sideEffects } = MANIFEST
  const doors = Object.values(exports).flatMap(door => (typeof door === 'string' ? [] : [door.types, door.default]))
  for (const path of [...Object.values(bin), main, types, ...doors, ...sideEffects]) {
    const source = path.replace(/^(\.\/)?dist\//, 'src/').replace(/(\.d\.ts|\.js)$/, '.ts')
    t.ok(source.includes('*') || existsSync(join(ROOT, source)), path)
  }
  t.same(Object.keys(exports), ['.', './client', './package.json'])
})

const LIBRARY_DIR = 'bin/napi-v6/linux/x64'
const LIBRARIES = ['cuda', 'shared', 'tensorrt'].map(name => `libonnxruntime_providers_${name}.so`)

/**
 * Runs the package's `preinstall` beside an onnxruntime-node, and then the script of that one.
 * @param feed Whether the host of CUDA's libraries answers; null: the machine has no GPU, and nobody may ask.
 */
function preinstalled(t: Test, feed: boolean | null, env: Record<string, string> = {}) {
  const reply = { true: '({ ok: true })', false: 'Promise.reject(new Error())', null: 'process.exit(9)' }[`${feed}`]
  const dir = t.testdir({
    bin: feed === null ? {} : { 'nvidia-smi': '#!/bin/sh\n' },
    'fetch.cjs': `globalThis.fetch = async () => ${reply}`,
    node_modules: {
      cropvlm: { 'without-cuda.cjs': readText('scripts/without-cuda.cjs') },
      'onnxruntime-node': { 'package.json': '{}', bin: { 'napi-v6': { linux: { x64: {} } } } },
      'global-agent': { 'index.js': 'exports.bootstrap = () => {}' },
      'adm-zip': { 'index.js': '' },
    },
  })
  const folder = join(dir, 'node_modules/onnxruntime-node')
  cpSync(join(ROOT, 'node_modules/onnxruntime-node/script'), join(folder, 'script'), { recursive: true })
  if (feed !== null) chmodSync(join(dir, 'bin/nvidia-smi'), 0o755)
  const run = (script: string) =>
    spawnSync(process.execPath, ['--require', join(dir, 'fetch.cjs'), join(dir, 'node_modules', script)], {
      cwd: dir,
      env: { PATH: join(dir, 'bin'), ...env },
      encoding: 'utf8',
    })
  t.match(run('cropvlm/without-cuda.cjs'), { status: 0, stderr: '' })
  return { notes: readdirSync(join(folder, LIBRARY_DIR)), postinstall: () => run('onnxruntime-node/script/install.js') }
}

const skip =
  process.platform === 'linux' && process.arch === 'x64' ? false : 'onnxruntime-node fetches them on Linux x64 alone'

t.test('an installation without CUDA asks no host but the registry', { skip }, async t => {
  for (const feed of [null, false]) {
    const { notes, postinstall } = preinstalled(t, feed)
    t.same(notes, LIBRARIES)
    t.match(postinstall(), { status: 0, stdout: '', stderr: '' }, "onnxruntime-node's own script is content")
  }
  t.same(preinstalled(t, true).notes, [], 'a GPU and a host that answers: they are fetched')
  t.same(preinstalled(t, null, { ONNXRUNTIME_NODE_INSTALL: 'cuda12' }).notes, [], 'what was said goes first')
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

t.test('npx finds the command of a checkout that was compiled', async t => {
  const page = { 'index.html': '' }
  const dir = t.testdir({
    scripts: SCRIPTS,
    src: { ...src, page },
    dist: { ...dist, cli: { 'main.js': '' } },
    node_modules: compiler(STUB),
  })
  t.equal(spawnSync(process.execPath, ['scripts/built.mjs'], { cwd: dir }).status, 0)
  t.equal(statSync(join(dir, 'dist/cli/main.js')).mode & 0o111, 0o111)
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
