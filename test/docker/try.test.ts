/** `docker/try.sh`, as far as it goes without an engine; CONTRIBUTING.md says how it is run. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import t from 'tap'
import { ROOT } from '../support/deploy-files.js'

const PARTS = readdirSync(`${ROOT}/docker/try`).map(name => `docker/try/${name}`)
const run = (...args: string[]) => spawnSync('bash', args, { cwd: ROOT, encoding: 'utf8' })

t.test('its parts are bash', async t => {
  t.ok(PARTS.length >= 5)
  for (const path of ['docker/try.sh', ...PARTS]) t.match(run('-n', path), { status: 0, stderr: '' }, path)
})

t.test('an unknown option gives the list of those there are', async t => {
  const { status, stdout } = run('docker/try.sh', '--quick')
  t.equal(status, 2)
  for (const option of ['--short', '--fresh', '--stand-in']) t.match(stdout, option)
})

t.test('what is checked is counted, and shown where it fails', async t => {
  const script = `. docker/try/report.sh
    check 'one' true
    check 'two' sh -c 'echo why; exit 3'
    expect 'three' a a
    expect 'four' a b
    figure 'size' '5 MB'
    summary`
  const { status, stdout } = run('-c', script)
  t.equal(status, 0)
  t.match(stdout, /^ok {3}one$/m)
  t.match(stdout, /^FAIL two\n {5}why$/m)
  t.match(stdout, /^FAIL four: b\n {5}found a, not b$/m)
  t.match(stdout, /^ {3}size +5 MB\n2 passed, 2 failed\nFAIL two\nFAIL four: b$/m)
})
