import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { bubblewrap } from '../../../../src/engine/parent/sandbox/bubblewrap.js'

/** The pairs and triples of the command that begin with an option. */
const after = (command: readonly string[], option: string): string[] =>
  command.flatMap((word, i) => (word === option ? [command[i + 1] ?? ''] : []))

t.test('what is read in a hidden folder is kept by its topmost folder, and nothing else is', async t => {
  const readable = ['/tmp/a/b/model', '/tmp/a/c', '/tmp', '/opt/model', '/run/user/1000/model', '/tmpfile']
  const command = bubblewrap({ readable, writable: ['/tmp/a/cache'], gpu: false })
  t.same(after(command, '--ro-bind'), ['/'])
  t.same(
    after(command, '--ro-bind-try').filter(path => !path.startsWith('/proc/')),
    ['/tmp/a', '/run/user'],
  )
  t.same(after(command, '--bind-try'), ['/tmp/a/cache'])
  t.ok(command.lastIndexOf('--bind-try') > command.lastIndexOf('--ro-bind-try'), 'what is written lies on top')
  t.ok(after(command, '--tmpfs').includes('/tmp'))
})

t.test('a graphics card brings its devices and its cache of kernels', async t => {
  const [without, withGpu] = [false, true].map(gpu => bubblewrap({ readable: [], writable: [], gpu }))
  t.same(after(withGpu ?? [], '--bind-try'), [join(homedir(), '.nv')])
  t.same(after(without ?? [], '--bind-try'), [])
  t.ok(after(withGpu ?? [], '--dev-bind').every(path => /^\/dev\/(nvidia|dxg)/.test(path)))
})
