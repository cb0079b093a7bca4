/** Every path, name, port and version in the deployment files is held to the code; `docker/try.sh` runs them. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { OPTIONS, readConfig } from '../src/config/service.js'
import { configuredCropper } from '../src/cropper/croppers.js'
import type { Engine } from '../src/engine/engine.js'
import { buildApp } from '../src/http/app.js'
import { makeMetrics } from '../src/http/plugins/metrics.js'
import {
  copiedSources,
  environment,
  type Instruction,
  ROOT,
  reachesBuild,
  readDockerfile,
  readQuery,
  readText,
  readYaml,
} from './support/deploy-files.js'

interface Service {
  image?: string
  build?: { context: string; dockerfile: string }
  profiles?: string[]
  environment?: Record<string, string | null>
  ports?: string[]
  expose?: string[]
  volumes?: (string | { type: string })[]
  command?: string[]
  healthcheck?: { test: string[] }
  stop_grace_period?: string
}

interface Manifest {
  version: string
  license: string
  engines: { node: string }
  scripts: Record<string, string>
  dependencies: Record<string, string>
}

const MANIFEST = JSON.parse(readText('package.json')) as Manifest
const COMPOSE = readYaml<{ services: Record<string, Service>; volumes: Record<string, null> }>('docker-compose.yml')
const SERVICE_FILES = ['Dockerfile', 'docker/gpu.Dockerfile']
const DOCKERFILES = [...SERVICE_FILES, 'docker/trainer.Dockerfile']
const PORT = Number(OPTIONS.find(({ env }) => env === 'PORT')?.default)
const OPTION_NAMES = OPTIONS.map(({ env }) => env)
const IDLE = { queueSize: 0, restarts: 0, state: 'ready', info: null } as unknown as Engine
const PINNED = /^[a-z0-9./-]+:v?\d+\.\d+\.\d+[\w.-]*$/
const only = (file: readonly Instruction[], name: string) =>
  file.filter(found => found.name === name).map(({ text }) => text)
const CONFIG = readConfig({ LOG_LEVEL: 'silent' })
const cropper = configuredCropper(CONFIG).make(IDLE)
const PARTS = { engine: IDLE, cropper, targets: new Map() }
const routes = buildApp({ config: CONFIG, ...PARTS })
t.teardown(async () => (await routes).close())
// a busy machine takes its time
t.setTimeout(120_000)

for (const path of DOCKERFILES)
  t.test(path, async t => {
    const file = readDockerfile(path)
    const stages = only(file, 'FROM').map(text => text.replace(/^--platform=\S+ /, '').split(' AS ')[0] ?? '')
    const names = only(file, 'FROM').map(text => text.split(' AS ')[1])
    for (const image of stages) if (!names.includes(image)) t.match(image, PINNED, `${image} is pinned`)
    for (const source of copiedSources(file)) {
      // the models are trained, not written: a checkout may be older than them
      const untrained = source.startsWith('models/') && !existsSync(`${ROOT}/models`)
      t.ok(existsSync(`${ROOT}/${source}`), `${source} exists`, untrained ? { skip: 'models/ is not there yet' } : {})
      t.ok(reachesBuild(source, readText('.dockerignore')), `.dockerignore lets ${source} through`)
    }
    for (const [, stage] of only(file, 'COPY')
      .join('\n')
      .matchAll(/--from=(\S+)/g))
      t.ok(names.includes(stage), `stage ${stage}`)
    const users = only(file, 'USER')
    // by number, as runAsNonRoot of Kubernetes wants it
    t.match(users.at(-1), /^[1-9]\d*:[1-9]\d*$/, 'not root')
    const text = readText(path)
    t.ok(text.includes(`\nARG VERSION=${MANIFEST.version}\n`), 'the version is that of package.json')
    t.match(text, `org.opencontainers.image.licenses="${MANIFEST.license}"`)
    for (const [label, argument] of Object.entries({ version: 'VERSION', revision: 'GIT_REVISION', source: 'SOURCE' }))
      t.match(text, `org.opencontainers.image.${label}="\${${argument}}"`)
    for (const command of only(file, 'RUN')) {
      t.equal(spawnSync('sh', ['-n', '-c', command]).status, 0, `${command.slice(0, 40)}... is shell`)
      for (const [, script = ''] of command.matchAll(/npm run (\S+)/g))
        t.ok(MANIFEST.scripts[script], `npm run ${script}`)
    }
  })

for (const path of SERVICE_FILES)
  t.test(`${path} runs this service`, async t => {
    const file = readDockerfile(path)
    const [, low = '', high = ''] = /^>=([\d.]+) <(\d+)$/.exec(MANIFEST.engines.node) ?? []
    for (const [, major, minor] of only(file, 'FROM')
      .join('\n')
      .matchAll(/\bnode:(\d+)\.(\d+)\.\d+/g)) {
      t.ok(Number(major) < Number(high), 'not newer than engines allow')
      t.ok(Number(`${major}.${minor}`) >= Number(low), `Node ${major}.${minor} within ${MANIFEST.engines.node}`)
    }
    t.same(only(file, 'EXPOSE'), [String(PORT)], 'the default port')
    const env = environment(file)
    t.equal(env.HOST, '0.0.0.0', 'reachable from outside the container')
    const foreign = ['NODE_ENV', 'ONNXRUNTIME_NODE_INSTALL', 'GIT_REVISION']
    for (const name of Object.keys(env)) t.ok([...OPTION_NAMES, ...foreign].includes(name), `${name} is an option`)
    t.equal(env.EXECUTION_PROVIDER, path.includes('gpu') ? 'cuda' : undefined)
    t.doesNotThrow(() =>
      readConfig(Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.includes(name)))),
    )
    const health = only(file, 'HEALTHCHECK').join('')
    const route = new RegExp(String.raw`\|\| ${PORT}\) \+ '(/[\w/]+)'`).exec(health)?.[1] ?? ''
    t.ok((await routes).hasRoute({ method: 'GET', url: route }), `the healthcheck asks ${route}`)
    const probe = /CMD \["node", "-e", "(.*)"\]/.exec(health)?.[1] ?? ''
    t.equal(spawnSync(process.execPath, ['--check', '-'], { input: probe }).status, 0, 'the healthcheck is JavaScript')
    t.same(only(file, 'STOPSIGNAL'), ['SIGTERM'])
    const started = /node --enable-source-maps dist\/(\S+)\.js/.exec(MANIFEST.scripts.start ?? '')?.[1]
    t.same(only(file, 'CMD'), [`["node", "--enable-source-maps", "dist/${started}.js"]`], 'as npm start does')
    t.ok(existsSync(`${ROOT}/src/${started}.ts`))
    t.ok(
      existsSync(`${ROOT}/node_modules/onnxruntime-node/bin/napi-v6/linux`),
      'the libraries of other systems lie here',
    )
  })

t.test('what src imports is installed with --omit=dev', async t => {
  const { stdout } = spawnSync('grep', ['-rhoE', `^(import|export|\\}).* from '[^.][^']*'`, `${ROOT}/src`], {
    encoding: 'utf8',
  })
  const packages = new Set([...stdout.matchAll(/from '((?:@[\w.-]+\/)?[\w.-]+)/g)].map(([, name = '']) => name))
  for (const name of packages) if (name !== 'node') t.ok(MANIFEST.dependencies[name], `${name} is no devDependency`)
  t.ok(packages.has('fastify'))
})

t.test('the GPU image asks for CUDA libraries that onnxruntime-node has', async t => {
  const wanted = environment(readDockerfile('docker/gpu.Dockerfile')).ONNXRUNTIME_NODE_INSTALL ?? ''
  const path = `${ROOT}/node_modules/onnxruntime-node/script/install-metadata.js`
  const { manifests } = createRequire(import.meta.url)(path) as { manifests: Record<string, Record<string, unknown>> }
  const files = Object.keys(manifests[`linux/x64:${wanted}`] ?? {}).map(file => file.replace('./', ''))
  const checked = readText('docker/gpu.Dockerfile').matchAll(/test -f linux\/x64\/(\S+)/g)
  for (const [, file = ''] of checked) t.ok(files.includes(file), `${wanted} brings ${file}`)
  t.ok(files.length > 0)
  // npm runs no package's script (.npmrc), so the image runs this one
  const commands = only(readDockerfile('docker/gpu.Dockerfile'), 'RUN').join('\n')
  const scripts = [...commands.matchAll(/\bnode (node_modules\/\S+)/g)].map(([, script = '']) => script)
  t.equal(scripts.length, 1)
  for (const script of scripts) t.ok(existsSync(`${ROOT}/${script}`), script)
})

t.test('a model folder has the bytes that its sha256 is of, where git writes lines as Windows does', async t => {
  const dir = t.testdir()
  const model = 'models/tiny'
  for (const path of ['.gitattributes', model]) {
    const from = path === model ? `${ROOT}/test/fixtures/${model}` : `${ROOT}/${path}`
    cpSync(from, `${dir}/first/${path}`, { recursive: true })
  }
  const git = (...args: string[]) => t.equal(spawnSync('git', args, { cwd: dir }).status, 0, args.join(' '))
  git('init', '--quiet', 'first')
  git('-C', 'first', 'add', '.')
  git('-C', 'first', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message', 'a model')
  git('clone', '--quiet', '-c', 'core.autocrlf=true', 'first', 'second')
  const { sha256: files } = JSON.parse(readFileSync(`${dir}/second/${model}/cropvlm.json`, 'utf8')) as {
    sha256: Record<string, string>
  }
  for (const [file, sha256] of Object.entries(files)) {
    const bytes = readFileSync(`${dir}/second/${model}/${file}`)
    t.equal(createHash('sha256').update(bytes).digest('hex'), sha256, file)
  }
  t.ok(Object.keys(files).length > 5)
})

t.test('npm scripts of the command line', async t => {
  for (const name of ['models', 'eval']) {
    t.equal(MANIFEST.scripts[name], `npm run -s built && node --enable-source-maps dist/cli/main.js ${name}`)
    t.ok(existsSync(`${ROOT}/src/cli/commands/${name}.ts`))
  }
})

t.test('docker-compose.yml', async t => {
  const { services, volumes } = COMPOSE
  const byDefault = Object.keys(services).filter(name => !services[name]?.profiles)
  t.same(byDefault, ['cropvlm'])
  const profiles = new Set(Object.values(services).flatMap(service => service.profiles ?? []))
  for (const profile of ['gpu', 'target', 'trainer', 'monitoring']) t.ok(profiles.has(profile), `profile ${profile}`)
  for (const [name, { image, build, volumes: mounts = [] }] of Object.entries(services)) {
    t.match(image, PINNED, `${name}: pinned`)
    if (build) t.ok(image?.endsWith(`:${MANIFEST.version}`), `${name}: the version of package.json`)
    if (build) t.ok(DOCKERFILES.includes(build.dockerfile) && build.context === '.', `${name}: ${build.dockerfile}`)
    for (const mount of mounts.filter(mount => typeof mount === 'string')) {
      const source = mount.split(':')[0] ?? ''
      if (!source.startsWith('./')) t.ok(source in volumes, `${name}: volume ${source} is declared`)
      else if (source.startsWith('./docker/')) t.ok(existsSync(`${ROOT}/${source}`), `${name}: ${source} exists`)
    }
  }
  for (const name of ['cropvlm', 'cropvlm-gpu']) {
    const { ports = [], stop_grace_period: grace = '' } = services[name] ?? {}
    t.match(ports, [new RegExp(`:${PORT}$`)])
    t.ok(1000 * Number.parseInt(grace, 10) > readConfig({}).shutdownGraceMs, 'time to drain')
  }
})

t.test('docker/target.env points the service at the target', async t => {
  const lines = readText('docker/target.env')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
  const env = Object.fromEntries(lines.map(line => line.split('=') as [string, string]))
  const [target] = readConfig(env).targets
  t.equal(target.kind, 'openai')
  const { hostname, port } = new URL(env.TARGET_BASE_URL ?? '')
  const service = COMPOSE.services[hostname]
  t.ok(service?.command?.includes(`--port=${port}`) && service.expose?.includes(port), `${hostname} listens on ${port}`)
  t.ok(service?.command?.includes(`--model=${env.TARGET_MODEL}`))
  t.match(service?.healthcheck?.test.join(' '), new RegExp(`127\\.0\\.0\\.1:${port}/`))
})

t.test('Prometheus scrapes the service', async t => {
  const prometheus = readYaml<{
    rule_files: string[]
    scrape_configs: { job_name: string; metrics_path: string; dns_sd_configs: { names: string[]; port: number }[] }[]
  }>('docker/prometheus/prometheus.yml')
  for (const file of prometheus.rule_files) t.ok(existsSync(`${ROOT}/docker/prometheus/${file}`))
  for (const { metrics_path: url, dns_sd_configs: sources } of prometheus.scrape_configs) {
    t.ok((await routes).hasRoute({ method: 'GET', url }))
    for (const { names, port } of sources) {
      t.equal(port, PORT)
      for (const name of names) t.ok(COMPOSE.services[name], `${name} is a service`)
    }
  }
})

/** Each metric and label of an expression is one that the service exports. */
async function checkQuery(t: Test, expression: string) {
  const { registry } = makeMetrics(PARTS)
  const { metrics, labels } = readQuery(expression)
  const known = new Set(['instance', 'job', 'le'])
  for (const name of metrics.filter(name => name !== 'up')) {
    const metric = registry.getSingleMetric(name) ?? registry.getSingleMetric(name.replace(/_(bucket|sum|count)$/, ''))
    t.ok(metric, `${name} is exported`)
    for (const label of (metric as unknown as { labelNames?: string[] })?.labelNames ?? []) known.add(label)
  }
  t.ok(metrics.length > 0, expression)
  for (const label of labels) t.ok(known.has(label), `${label} is a label in ${expression}`)
}

t.test('alerts ask for metrics that exist', async t => {
  const { groups } = readYaml<{
    groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[]
  }>('docker/prometheus/alerts.yml')
  const rules = groups.flatMap(group => group.rules)
  t.ok(rules.length >= 5)
  for (const { expr } of rules) await checkQuery(t, expr)
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
})

t.test('the dashboard shows every metric of the service, and no other', async t => {
  interface Panel {
    id: number
    type: string
    gridPos: { x: number; y: number; w: number; h: number }
    datasource?: { uid: string }
    targets?: { expr: string; datasource: { uid: string } }[]
  }
  const { panels } = JSON.parse(readText('docker/grafana/dashboards/cropvlm.json')) as { panels: Panel[] }
  const { datasources } = readYaml<{ datasources: { uid: string; url: string }[] }>(
    'docker/grafana/provisioning/datasources/prometheus.yml',
  )
  const { hostname, port } = new URL(datasources[0]?.url ?? '')
  t.ok(COMPOSE.services[hostname]?.ports?.[0]?.endsWith(`:${port}`), 'Grafana asks the Prometheus beside it')
  const queries = panels.flatMap(panel => panel.targets ?? [])
  for (const { expr, datasource } of queries) {
    t.equal(datasource.uid, datasources[0]?.uid)
    await checkQuery(t, expr)
  }
  const shown = queries
    .flatMap(({ expr }) => readQuery(expr).metrics)
    .map(name => name.replace(/_(bucket|sum|count)$/, ''))
  const exported = makeMetrics(PARTS)
    .registry.getMetricsAsArray()
    .map(({ name }) => name)
  for (const name of exported.filter(name => name.startsWith('cropvlm_')))
    t.ok(shown.includes(name), `${name} is shown`)
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'panel ids')
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  )
  t.equal(new Set(cells).size, cells.length, 'no panel lies on another')
  t.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24))
})

t.test('Grafana finds the dashboard where Compose mounts it', async t => {
  const { providers } = readYaml<{ providers: { options: { path: string } }[] }>(
    'docker/grafana/provisioning/dashboards/cropvlm.yml',
  )
  const { volumes = [], environment: env = {} } = COMPOSE.services.grafana ?? {}
  const path = providers[0]?.options.path ?? ''
  t.ok(volumes.includes(`./docker/grafana/dashboards:${path}:ro`))
  t.equal(env.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH, `${path}/cropvlm.json`)
})
