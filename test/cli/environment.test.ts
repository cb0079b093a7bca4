import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { environment } from '../../src/cli/environment.js'
import { testWorld } from '../support/cli/world.js'

const FILE = `# of this machine
PORT=9000
TARGET_PROMPT="two
lines"
export ZOOM=off
API_KEY=secret
`

t.test('.env of the working folder adds what is not set', async t => {
  const cwd = t.testdir({ '.env': FILE })
  const { world } = testWorld({ cwd, env: { PORT: '1', API_KEY: '', PATH: '/bin' } })
  t.strictSame(await environment(world), {
    PORT: '1',
    TARGET_PROMPT: 'two\nlines',
    ZOOM: 'off',
    API_KEY: '',
    PATH: '/bin',
  })
})

t.test('--env-file names another; without a file there is only what is set', async t => {
  const cwd = t.testdir({ '.env': 'PORT=1', 'other.env': 'PORT=2', '.venv': {} })
  t.equal((await environment({ ...testWorld({ cwd }).world, envFile: 'other.env' })).PORT, '2')
  t.equal((await environment({ ...testWorld({ cwd }).world, envFile: join(cwd, 'other.env') })).PORT, '2')
  t.same(await environment({ ...testWorld({ cwd, env: { A: 'b' } }).world, envFile: null }), { A: 'b' })
  const empty = testWorld({ cwd: join(cwd, '.venv'), env: { A: 'b' } })
  t.same(await environment(empty.world), { A: 'b' })
  const python = testWorld({ cwd: t.testdir({ '.env': {} }) })
  t.same(await environment(python.world), {}, 'a folder of that name is no file')
})

t.test('a file that cannot be read is named', async t => {
  const cwd = t.testdir({ folder: {} })
  const { world } = testWorld({ cwd })
  await t.rejects(environment({ ...world, envFile: 'none.env' }), {
    exitCode: 3,
    message: '--env-file names none.env, which does not exist.',
  })
  await t.rejects(environment({ ...world, envFile: 'folder' }), {
    exitCode: 2,
    message: /^folder cannot be read \(EISDIR\); .* --env-file/,
  })
})

t.test('what has no end is not read', { skip: process.platform !== 'linux' }, async t => {
  const cwd = t.testdir()
  execFileSync('mkfifo', [join(cwd, '.env'), join(cwd, 'pipe')])
  const { world } = testWorld({ cwd })
  await t.rejects(environment(world), {
    exitCode: 2,
    message: '.env is a pipe or a device, and no file; remove it, or name a file with --env-file.',
  })
  await t.rejects(environment({ ...world, envFile: '/dev/zero' }), {
    exitCode: 2,
    message: '/dev/zero has more than 1048576 bytes, the most that is read; is it the right one?',
  })
  const read = environment({ ...world, envFile: 'pipe' })
  await writeFile(join(cwd, 'pipe'), 'PORT=3')
  t.equal((await read).PORT, '3', 'as a shell makes one: --env-file <(...)')
})
