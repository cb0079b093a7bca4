/** docker-compose.yml hands on every variable that is documented. */
import { existsSync, statSync } from 'node:fs'
import t from 'tap'
import { environment, ROOT, readDockerfile, readText, readYaml } from '../support/deploy-files.js'

interface Bind {
  type: string
  source: string
  target: string
  read_only: boolean
  bind: { create_host_path: boolean }
}

interface Service {
  build: { dockerfile: string }
  env_file: { path: string; required: boolean }[]
  environment: Record<string, string | null>
  volumes: (string | Bind)[]
}

const { services } = readYaml<{ services: Record<string, Service> }>('docker-compose.yml')
const PAGE = readText('docs/reference/configuration.md')
const TABLE = PAGE.slice(PAGE.indexOf('| variable | default |'), PAGE.indexOf('An entry of `TARGETS`'))
const DOCUMENTED = [...TABLE.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name = '']) => name)
/** Read by what the service stands on, not by its configuration, and so in no table. */
const UNLISTED = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS']
/** What a container has an own value of. */
const FIXED = { HOST: '0.0.0.0', PORT: '8080' }
/** What the image was built from: it knows that itself. */
const OF_IMAGE = 'GIT_REVISION'
const GRAPHS = '/var/cache/cropvlm'

t.ok(DOCUMENTED.length > 40 && DOCUMENTED.includes('TARGETS_FILE'), 'the table was found')
for (const name of UNLISTED) t.match(readText('docs/guide/targets.md'), `\`${name}`, `${name} is documented`)

for (const [name, provider] of Object.entries({ cropvlm: 'cpu', 'cropvlm-gpu': 'cuda' }))
  t.test(name, async t => {
    const service = services[name]
    if (!service) return t.fail('is a service')
    const { environment: env, volumes, env_file: files } = service
    const wanted = [...DOCUMENTED, ...UNLISTED].filter(variable => variable !== OF_IMAGE)
    t.same(Object.keys(env).sort(), wanted.sort(), 'every variable that is documented')
    // `api_key_env` of a target may name any variable
    t.same(files, [{ path: '.env', required: false }])

    const binds = volumes.filter(volume => typeof volume !== 'string')
    const ofFiles = binds.map(({ source, target }) => {
      const [, variable = '', unset = ''] = /^\$\{(\w+):-(.+)\}$/.exec(source) ?? []
      t.ok(
        existsSync(`${ROOT}/${unset}`) && statSync(`${ROOT}/${unset}`).size === 0,
        `${variable}: an empty file is there`,
      )
      return [variable, `\${${variable}:+${target}}`]
    })
    t.ok(binds.every(({ type, read_only, bind }) => type === 'bind' && read_only && !bind.create_host_path))
    t.match(
      env,
      { ...FIXED, EXECUTION_PROVIDER: provider, ...Object.fromEntries(ofFiles) },
      'a variable that names a file names it in the container',
    )
    t.ok(volumes.includes(`graphs:${GRAPHS}`))
    t.equal(env.GRAPH_CACHE_DIR, `\${GRAPH_CACHE_DIR:-${GRAPHS}}`)
    const own = [
      ...Object.keys(FIXED),
      'EXECUTION_PROVIDER',
      'GRAPH_CACHE_DIR',
      ...ofFiles.map(([variable]) => variable),
    ]
    for (const [variable, value] of Object.entries(env))
      if (!own.includes(variable)) t.equal(value, null, `${variable}: no second place for its default`)
    for (const variable of Object.keys(environment(readDockerfile(service.build.dockerfile))))
      if (variable in env) t.notSame(env[variable], null, `${variable}: null would take it from the image`)
    for (const variable of DOCUMENTED.filter(found => /_FILE$/.test(found)))
      t.ok(own.includes(variable), `${variable}: the container gets to read the file`)
  })
