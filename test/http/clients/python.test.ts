/** A Python client from the document, made by openapi-python-client, run against the real service with tiny models. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startReal, tinyModel } from '../../support/real.js'

const run = promisify(execFile)

const GENERATOR = 'openapi-python-client==0.29.1'

const root = resolve(import.meta.dirname, '../../..')
const folder = resolve(root, '.build/python-client')
/** By the generator's version, so that a new one is installed anew. */
const venv = resolve(folder, `venv-${GENERATOR.replace('==', '-')}`)
const python = resolve(venv, 'bin/python')

const hasVenv = spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0

t.setTimeout(300_000)
t.test(
  'a generated Python client works',
  hasVenv ? {} : { skip: 'there is no python3 that can make a virtual environment' },
  async t => {
    const models = { CROPPER_MODEL: tinyModel('tiny'), LOCAL_TARGET_MODEL: tinyModel('tiny-hub') }
    const [service] = await Promise.all([startReal(t, models), install()])
    const document = await (await fetch(`${service.url}/openapi.json`)).text()
    const client = resolve(folder, 'crop_vlm_client')
    rmSync(client, { recursive: true, force: true })
    writeFileSync(resolve(folder, 'openapi.json'), document)
    // nobody reads the client's code, so it need not be formatted
    writeFileSync(resolve(folder, 'config.yml'), 'post_hooks: []\n')
    const { stdout } = await run(resolve(venv, 'bin/openapi-python-client'), [
      'generate',
      ...['--path', resolve(folder, 'openapi.json'), '--config', resolve(folder, 'config.yml')],
      ...['--output-path', client, '--meta', 'none', '--fail-on-warning'],
    ])
    t.notMatch(stdout, /warning/i)
    const called = await run(
      python,
      [resolve(root, 'test/fixtures/clients/call.py'), service.url, resolve(root, 'docs/example.png')],
      { env: { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' } },
    )
    const box = [Number, Number, Number, Number]
    t.match(JSON.parse(called.stdout), {
      bbox: box,
      questions: ['What is the total?', 'Who signed, and when?'],
      boxes: [box, box],
      lone: 1,
      answer: String,
      agrees: Boolean,
      usage: Number,
      code: 'invalid_base64',
      models: ['tiny', 'tiny-hub'],
    })
  },
)

async function install(): Promise<void> {
  if (existsSync(resolve(venv, 'bin/openapi-python-client'))) return
  mkdirSync(folder, { recursive: true })
  await run('python3', ['-m', 'venv', '--clear', venv])
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', GENERATOR])
}
