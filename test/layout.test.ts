/** The layout of the source: which folder may import which (`.dependency-cruiser.mjs`), and how many files one holds. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ROOT } from './support/deploy-files.js'

const MAX_FILES = 12
const CODE = /\.(ts|js|mjs|cjs|py|sh)$/
/** Files that make a folder a package of Python, and are empty. */
const EMPTY = '__init__.py'
const NOT_OURS = ['fixtures', 'node_modules', '__pycache__', '.build', '.cache', '.venv']
/** What the trainer's commands write; `.gitignore` names them. */
const WRITTEN = ['trainer/data', 'trainer/runs', 'trainer/models']

/** A folder and every folder below it, each with the number of its files of code. */
function foldersOf(path: string): { path: string; files: number }[] {
  const entries = readdirSync(join(ROOT, path), { withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && CODE.test(entry.name) && entry.name !== EMPTY).length
  const below = entries.filter(entry => entry.isDirectory() && !NOT_OURS.includes(entry.name))
  const paths = below.map(({ name }) => `${path}/${name}`).filter(folder => !WRITTEN.includes(folder))
  return [{ path, files }, ...paths.flatMap(foldersOf)]
}

t.test(`no folder has more than ${MAX_FILES} files of code`, async t => {
  const folders = ['src', 'test', 'bench', 'fuzz', 'trainer'].flatMap(foldersOf)
  t.same(
    folders.filter(({ files }) => files > MAX_FILES),
    [],
  )
  t.ok(folders.length > 50)
})

/** Each import, and the rules that it breaks. */
const IMPORTS: [from: string, to: string, rules: string[]][] = [
  ['src/main.ts', 'src/http/app.ts', []],
  ['src/http/app.ts', 'src/zoom/find.ts', []],
  ['src/zoom/find.ts', 'src/cropper/cropper.ts', []],
  ['src/cropper/cropper.ts', 'src/engine/engine.ts', []],
  ['src/engine/engine.ts', 'src/errors.ts', []],
  ['src/engine/child/main.ts', 'src/vlm/onnx/session.ts', []],
  ['src/vlm/onnx/session.ts', 'node_modules/onnxruntime-node/index.js', []],
  ['src/cli/main.ts', 'src/evaluation/measures.ts', []],
  ['src/config/service.ts', 'src/vlm/folder/graph-names.ts', []],
  ['src/engine/options.ts', 'src/config/service.ts', []],
  ['src/cli/main.ts', 'src/engine/options.ts', []],

  ['src/cli/main.ts', 'src/mcp/serve.ts', []],

  ['src/mcp/serve.ts', 'src/cli/page.ts', ['layer-mcp']],
  ['src/zoom/find.ts', 'src/http/reply.ts', ['layer-zoom']],
  ['src/vlm/folder/graph-names.ts', 'src/engine/protocol.ts', ['layer-vlm']],
  ['src/evaluation/measures.ts', 'src/cli/page.ts', ['layer-evaluation']],
  ['src/image/decode.ts', 'src/config/service.ts', ['layer-image']],
  ['src/engine/engine.ts', 'src/config/variables.ts', ['layer-engine']],
  ['src/config/service.ts', 'src/vlm/folder/text.ts', ['layer-config']],
  ['src/engine/options.ts', 'src/target/openai.ts', ['layer-engine']],
  ['src/unnamed/chat.ts', 'src/errors.ts', ['layer-is-named']],
  ['src/engine/child/jobs.ts', 'src/engine/parent/client.ts', ['child-knows-no-parent']],
  ['src/engine/parent/client.ts', 'src/engine/child/models.ts', ['parent-knows-no-child']],
  ['src/engine/child/jobs.ts', 'node_modules/onnxruntime-node/index.js', ['only-door-to-onnxruntime-node']],
  ['src/http/app.ts', 'test/support/app.ts', ['tests-stay-outside']],
  ['src/index.ts', 'src/client/client.ts', []],
  ['src/client/client.ts', 'src/client/error.ts', []],
  [
    'src/client/client.ts',
    'node_modules/onnxruntime-node/index.js',
    ['client-runs-anywhere', 'only-door-to-onnxruntime-node'],
  ],
  ['src/http/app.ts', 'missing', ['no-unresolvable']],

  ['src/main.ts', 'src/engine/parent/client.ts', []],
  ['src/main.ts', 'src/unnamed/chat.ts', []],
  ['src/engine/child/main.ts', 'src/engine/child/jobs.ts', []],
  ['src/vlm/onnx/session.ts', 'src/image/decode.ts', []],
  ['src/zoom/find.ts', 'src/contract/box.ts', []],
  ['src/contract/box.ts', 'src/contract/size.ts', []],
  ['src/contract/size.ts', 'src/contract/box.ts', []],
  ['src/target/local.ts', 'src/vlm/onnx/session.ts', []],
  ['src/main.ts', 'src/target/local.ts', []],
]

/** What is wrong with the whole rather than with one import. */
const OTHERS = [
  'src/contract/dead.ts -> src/contract/dead.ts: no-dead-file',
  'src/contract/box.ts -> src/contract/size.ts: no-circle',
  'src/main.ts -> src/vlm/onnx/session.ts: service-loads-no-model',
]

const DEPCRUISE = ['--config', join(ROOT, '.dependency-cruiser.mjs'), '--output-type', 'json']

interface Violation {
  from: string
  to: string
  rule: { name: string }
}

t.test('the lint rules of imports', async t => {
  const dir = t.testdir({
    'tsconfig.json': '{}',
    'package.json': '{"type": "module", "dependencies": {"onnxruntime-node": "1"}}',
    node_modules: { 'onnxruntime-node': { 'package.json': '{"name": "onnxruntime-node"}' } },
  })
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text, { flag: 'a' })
  }
  for (const [from, to] of IMPORTS) {
    const [, name] = /^node_modules\/(.*)\/index\.js$/.exec(to) ?? []
    // type-only, which the rules count as well
    write(from, `import type { X } from '${name ?? pathFrom(from, to)}'\n`)
    if (to !== 'missing') write(to, '')
  }
  write('src/contract/dead.ts', '')
  const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/depcruise'), [...DEPCRUISE, 'src'], { cwd: dir })
  const { violations } = (JSON.parse(String(stdout)) as { summary: { violations: Violation[] } }).summary
  const found = violations.map(({ from, to, rule }) => `${from} -> ${to}: ${rule.name}`).sort()
  const wanted = IMPORTS.flatMap(([from, to, rules]) => rules.map(rule => `${from} -> ${to}: ${rule}`))
  t.same(found, [...wanted, ...OTHERS].sort())
})

/** How one file imports another. */
function pathFrom(from: string, to: string): string {
  if (to === 'missing') return to
  const up = '../'.repeat(from.split('/').length - 1)
  return `${up}${to}`.replace(/\.ts$/, '.js')
}
