import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { readConfig } from '../../../../src/config/service.js'
import { KeyRing } from '../../../../src/http/plugins/auth/key-ring.js'

const idOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 8)

/** A file as Kubernetes mounts a secret: a link to a file in a folder, which is a link that is replaced. */
function secret(t: Test, keys: string) {
  const dir = t.testdir({})
  let version = 0
  const put = (text: string) => {
    const folder = `..v${version++}`
    mkdirSync(join(dir, folder))
    writeFileSync(join(dir, folder, 'keys'), text, { mode: 0o600 })
    symlinkSync(folder, join(dir, '..next'))
    renameSync(join(dir, '..next'), join(dir, '..data'))
  }
  put(keys)
  symlinkSync(join('..data', 'keys'), join(dir, 'keys'))
  return { path: join(dir, 'keys'), put }
}

function ring(t: Test, env: Record<string, string>) {
  const lines: { msg: string; level: number }[] = []
  const heard: (() => void)[] = []
  const log = pino(
    { level: 'info' },
    {
      write: (line: string) => {
        lines.push(JSON.parse(line))
        for (const tell of heard.splice(0)) tell()
      },
    },
  )
  const keys = new KeyRing(readConfig(env), log, 20)
  // its timer keeps no process alive; this one does while a line is awaited
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => {
    keys.close()
    clearInterval(alive)
  })
  const line = async (text: string) => {
    while (!lines.some(({ msg }) => msg.includes(text))) await new Promise<void>(resolve => heard.push(resolve))
    return lines.find(({ msg }) => msg.includes(text))
  }
  return { keys, line, lines }
}

t.test('each key has its id, and nothing else has one', async t => {
  const { keys } = ring(t, { API_KEY: 'a,b,a' })
  t.equal(keys.isNeeded, true)
  t.equal(keys.isOne, false)
  t.strictSame(
    ['a', 'b', 'c', ''].map(key => keys.idOf(key)),
    [idOf('a'), idOf('b'), null, null],
  )
  t.equal(ring(t, {}).keys.isNeeded, false)
})

t.test('keys that are replaced while the service runs', async t => {
  const { path, put } = secret(t, 'old\n')
  const { keys, line } = ring(t, { API_KEY: 'fixed', API_KEY_FILE: path })
  t.equal(keys.idOf('old'), idOf('old'))
  put('new\nolder\n')
  t.match(await line('read again'), { level: 30, keys: [idOf('fixed'), idOf('new'), idOf('older')] })
  t.strictSame(
    ['old', 'new', 'older', 'fixed'].map(key => keys.idOf(key) !== null),
    [false, true, true, true],
  )
})

t.test('what is told of a file is told once, until it changes', async t => {
  const { path, put } = secret(t, 'old-key\n')
  const { line, lines } = ring(t, { API_KEY_FILE: path })
  put('# gone\n')
  await line('stay as they were')
  await new Promise(resolve => setTimeout(resolve, 200))
  t.equal(lines.length, 1)
  put('old-key\n')
  put('new-key\n')
  await line('read again')
  t.equal(lines.length, 2)
})

t.test('keys that cannot be read stay as they were', async t => {
  const { path, put } = secret(t, 'old-key\n')
  const { keys, line, lines } = ring(t, { API_KEY_FILE: path })
  put('# gone\n')
  t.match(await line('stay as they were'), { level: 50, msg: /API_KEY_FILE is ".*", which holds no key; write one/ })
  t.equal(keys.idOf('old-key'), idOf('old-key'))
  t.notMatch(JSON.stringify(lines), 'old-key')
})
