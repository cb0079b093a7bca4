/** One version: package.json has it, everything else follows, and `npm run release` writes it anew everywhere. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { VERSION } from '../../src/version.js'
import { ROOT } from '../support/deploy-files.js'
import { listen } from '../support/fakes/app.js'

t.setTimeout(120_000)

const DOCKERFILES = ['Dockerfile', 'docker/gpu.Dockerfile', 'docker/trainer.Dockerfile']
const FILES = [
  ...DOCKERFILES,
  'package.json',
  'package-lock.json',
  'docker-compose.yml',
  'trainer/pyproject.toml',
  'CITATION.cff',
  'integrations/open_webui_zoom.py',
  'CHANGELOG.md',
]

interface Images {
  services: Record<string, { image?: string; build?: unknown }>
}

/** Each place that states the version, and what it states there. */
function versions(root: string): Record<string, string | undefined> {
  const text = (path: string) => readFileSync(join(root, path), 'utf8')
  const { services } = parse(text('docker-compose.yml'), { merge: true }) as Images
  const built = Object.entries(services).filter(([, { build }]) => build !== undefined)
  const lock = JSON.parse(text('package-lock.json')) as {
    version: string
    packages: Record<string, { version: string }>
  }
  return {
    'package.json': (JSON.parse(text('package.json')) as { version: string }).version,
    lock: lock.version,
    'lock, its root': lock.packages['']?.version,
    trainer: /^version = "(.+)"$/m.exec(text('trainer/pyproject.toml'))?.[1],
    citation: String((parse(text('CITATION.cff')) as { version: string }).version),
    filter: /^version: (.+)$/m.exec(text('integrations/open_webui_zoom.py'))?.[1],
    changelog: /^## (\S+) \(/m.exec(text('CHANGELOG.md'))?.[1],
    ...Object.fromEntries(DOCKERFILES.map(path => [path, /^ARG VERSION=(.+)$/m.exec(text(path))?.[1]])),
    ...Object.fromEntries(built.map(([name, { image }]) => [`image of ${name}`, image?.split(':')[1]])),
  }
}

t.test('the version is the same everywhere', async t => {
  const stated = versions(ROOT)
  t.equal(Object.keys(stated).filter(name => name.startsWith('image of')).length, 4)
  for (const [where, version] of Object.entries(stated)) t.equal(version, VERSION, where)
  const { url } = await listen(t)
  const { info } = (await (await fetch(`${url}/openapi.json`)).json()) as { info: { version: string } }
  t.equal(info.version, VERSION, 'OpenAPI')
})

t.test('a release writes them all, or none', async t => {
  const dir = t.testdir()
  for (const file of FILES) cpSync(join(ROOT, file), join(dir, file))
  const release = (version: string) =>
    spawnSync(process.execPath, [join(ROOT, 'scripts/release.mjs'), version], { cwd: dir, encoding: 'utf8' })
  t.match(release('next'), { status: 2, stderr: /npm run release -- \d/ })
  t.equal(versions(dir)['package.json'], VERSION)
  t.match(release('9.8.7'), { status: 0, stdout: /git tag v9\.8\.7/ })
  for (const [where, version] of Object.entries(versions(dir))) t.equal(version, '9.8.7', where)
  t.match(readFileSync(join(dir, 'CHANGELOG.md'), 'utf8'), /^## 9\.8\.7 \(\d{4}-\d\d-\d\d\)$/m)
  t.notOk(existsSync(join(dir, 'node_modules')), 'nothing is installed')
  // the heading is no longer "unreleased"
  t.match(release('9.9.0'), { status: 1, stderr: /CHANGELOG\.md has nothing .*; nothing was changed/ })
  for (const [where, version] of Object.entries(versions(dir))) t.equal(version, '9.8.7', where)
})
