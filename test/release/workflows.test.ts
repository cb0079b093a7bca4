/** The workflows name files, commands and variables that exist. No runner of GitHub's is here to say so. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT, readText, readYaml } from '../support/deploy-files.js'

interface Step {
  uses?: string
  run?: string
  with?: Record<string, unknown>
}

interface Job {
  'runs-on'?: string
  'timeout-minutes'?: number
  needs?: string | string[]
  uses?: string
  permissions?: Record<string, string>
  strategy?: { matrix: { include?: { name: string; dockerfile: string }[]; node?: string[] } }
  steps?: Step[]
}

interface Workflow {
  on: Record<string, { tags?: string[]; branches?: string[] } | null>
  permissions: Record<string, string>
  jobs: Record<string, Job>
}

const MANIFEST = JSON.parse(readText('package.json')) as { scripts: Record<string, string>; engines: { node: string } }
const WORKFLOWS = Object.fromEntries(
  ['ci', 'release', 'audit'].map(name => [name, readYaml<Workflow>(`.github/workflows/${name}.yml`)]),
)
const { ci, release, audit } = WORKFLOWS

for (const [name, { permissions, jobs }] of Object.entries(WORKFLOWS)) {
  t.test(`${name}.yml`, async t => {
    t.same(permissions, { contents: 'read' }, 'a job that needs more says so itself')
    for (const [id, job] of Object.entries(jobs)) {
      for (const needed of [job.needs ?? []].flat()) t.ok(jobs[needed], `${id} needs ${needed}`)
      if (job.uses) t.ok(existsSync(join(ROOT, job.uses)), job.uses)
      else t.ok(job['timeout-minutes'], `${id} ends`)
      for (const { uses, run = '', with: given = {} } of job.steps ?? []) {
        // a release of its own: no branch, which may become anything
        if (uses) t.match(uses, /^(actions|docker)\/[a-z-]+@v\d+$/)
        if (uses?.startsWith('actions/checkout@')) t.equal(given['persist-credentials'], false)
        for (const [, script = ''] of run.matchAll(/npm run (?:-s )?(\S+)/g)) t.ok(MANIFEST.scripts[script], script)
        for (const [, path = ''] of run.matchAll(/\b(?:bash|sh) (\S+)/g)) t.ok(existsSync(join(ROOT, path)), path)
        // what comes from outside reaches a shell as a variable, not as text of the command
        t.notMatch(run, /\$\{\{/)
      }
    }
  })
}

t.test('every push and pull request is tested, on the oldest and the newest Node', async t => {
  t.match(ci?.on, { push: { branches: ['main'] } })
  t.ok(ci && 'pull_request' in ci.on && 'workflow_call' in ci.on)
  const [oldest, newest] = ci?.jobs.test?.strategy?.matrix.node ?? []
  const [, from, below] = /^>=(\d+)\.\d+ <(\d+)$/.exec(MANIFEST.engines.node) ?? []
  t.same([oldest, newest], [from, String(Number(below) - 1)])
  t.ok(ci?.jobs.test?.steps?.some(({ run }) => run === 'bash .ci/run'))
})

t.test('every day what is known of the dependencies is looked up, and nothing may be skipped', async t => {
  t.match(audit?.on, { schedule: [{ cron: /^\d+ \d+ \* \* \*$/ }] })
  t.ok(audit && 'workflow_dispatch' in audit.on)
  const runs = audit?.jobs.audit?.steps?.map(({ run }) => run)
  t.ok(runs?.includes('npm run -s audit-dependencies -- --require'))
  t.ok(runs?.includes('sh trainer/setup.sh'), 'the trainer is installed, which is looked at as it is')
})

t.test('Dependabot looks at every folder that pins something', async t => {
  const { updates } = readYaml<{
    updates: { 'package-ecosystem': string; directory?: string; directories?: string[] }[]
  }>('.github/dependabot.yml')
  const folders = updates.flatMap(({ 'package-ecosystem': system, directory, directories = [] }) =>
    [...(directory ? [directory] : []), ...directories].map(folder => `${system} ${folder}`),
  )
  t.same(folders.sort(), [
    'docker /',
    'docker /docker',
    'docker-compose /',
    'github-actions /',
    'npm /',
    'npm /fuzz/jazzer',
    'pip /trainer',
  ])
  for (const [, folder = ''] of folders.map(line => line.split(' '))) t.ok(existsSync(join(ROOT, folder)), folder)
})

t.test('a tag publishes the three images and the package, once its version and the tests are right', async t => {
  t.same(release?.on, { push: { tags: ['v*'] } })
  const { version, test, images, package: published } = release?.jobs ?? {}
  t.match(version?.steps?.at(-1)?.run, /package\.json.*GITHUB_REF_NAME/)
  t.match([test?.needs, images?.needs, published?.needs], ['version', 'test', 'test'])
  t.match(images?.permissions, { packages: 'write', 'id-token': 'write' })
  t.match(published?.permissions, { 'id-token': 'write' })
  const compose = readYaml<{ services: Record<string, { image?: string; build?: { dockerfile: string } }> }>(
    'docker-compose.yml',
  )
  const built = Object.values(compose.services)
    .filter(({ build }) => build)
    .map(({ image, build }) => `${image?.split(':')[0]} ${build?.dockerfile}`)
  const pushed = (images?.strategy?.matrix.include ?? []).map(({ name, dockerfile }) => `${name} ${dockerfile}`)
  t.same(pushed.sort(), [...new Set(built)].sort())
  const push = images?.steps?.find(({ uses }) => uses?.startsWith('docker/build-push-action@'))
  t.match(push?.with, { provenance: 'mode=max', sbom: true, push: true })
  const given = [...String(push?.with?.['build-args']).matchAll(/^(\w+)=/gm)].map(([, name]) => name)
  t.same(given, ['VERSION', 'GIT_REVISION', 'SOURCE'])
  for (const { dockerfile } of images?.strategy?.matrix.include ?? [])
    for (const name of given)
      t.match(readText(dockerfile), new RegExp(`^ARG ${name}\\b`, 'm'), `${dockerfile}: ${name}`)
  t.ok(published?.steps?.some(({ run }) => /npm publish .* --provenance/.test(run ?? '')))
})
