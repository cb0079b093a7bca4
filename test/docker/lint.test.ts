/** hadolint finds nothing in the Dockerfiles. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { ROOT } from '../support/deploy-files.js'

// the first run installs hadolint
t.setTimeout(180_000)

function lint(...files: string[]) {
  const { status, stdout, stderr } = spawnSync('sh', [`${ROOT}/docker/lint.sh`, ...files], { encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}` }
}

const { status, output } = lint()
const skip = status === 77 ? `no hadolint: ${output.trim()}` : false

t.test('the Dockerfiles of this repository are clean', { skip }, async t => {
  t.equal(status, 0, output)
})

t.test('what is wrong in a Dockerfile is found', { skip }, async t => {
  const folder = t.testdir({ Dockerfile: 'FROM node:latest\nRUN cd /tmp && touch a\nUSER node\n' })
  const { status, output } = lint(`${folder}/Dockerfile`)
  t.equal(status, 1)
  // a version that is not pinned, `cd`, a user that is no number
  for (const rule of ['DL3007', 'DL3003', 'DL3066']) t.match(output, rule)
})
