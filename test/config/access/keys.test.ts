import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keyToSend } from '../../../src/config/access/key-to-send.js'
import { readConfig } from '../../../src/config/service.js'
import type { CropVlmError } from '../../../src/errors.js'

const dir = t.testdir({
  keys: '\uFEFF# of the two teams\r\n\r\n  first-key \r\nsecond,key\n#third-key\n',
  empty: '# none yet\n\n',
  one: 'upstream-key\n',
})
const file = (name: string) => join(dir, name)
for (const name of ['keys', 'empty', 'one']) chmodSync(file(name), 0o600)

const TARGET = { TARGET_BASE_URL: 'http://localhost/v1', TARGET_MODEL: 'm' }
const CROPPER = { CROPPER_BASE_URL: 'http://localhost/v1', CROPPER_MODEL: 'm' }

function problems(env: Record<string, string>): string {
  try {
    readConfig(env)
  } catch (error) {
    return (error as CropVlmError).message
  }
  return ''
}

t.test('one key a line, beside those of API_KEY, which are separated by commas', async t => {
  t.strictSame(readConfig({ API_KEY_FILE: file('keys') }).apiKeys, ['first-key', 'second,key'])
  const both = readConfig({ API_KEY: 'a, b,,', API_KEY_FILE: file('one') })
  t.strictSame(
    [both.apiKeys, both.fixedApiKeys],
    [
      ['a', 'b', 'upstream-key'],
      ['a', 'b'],
    ],
  )
  t.strictSame(readConfig({ API_KEY: 'single' }).apiKeys, ['single'])
})

t.test('the keys of endpoints', async t => {
  const [target] = readConfig({ ...TARGET, TARGET_API_KEY_FILE: file('one') }).targets
  t.match(target, { apiKey: 'upstream-key' })
  t.equal(readConfig({ ...CROPPER, CROPPER_API_KEY_FILE: file('one') }).cropperApiKey, 'upstream-key')
  t.equal(readConfig({ ...CROPPER, CROPPER_API_KEY: 'k' }).cropperApiKey, 'k')
})

t.test('the key that a client sends', async t => {
  const rows: [env: Record<string, string>, key: string | null][] = [
    [{}, null],
    [{ API_KEY: ' a , b' }, 'a'],
    [{ API_KEY: 'a', API_KEY_FILE: file('one') }, 'a'],
    [{ API_KEY: '', API_KEY_FILE: file('one') }, 'upstream-key'],
    [{ API_KEY_FILE: file('none') }, null],
  ]
  for (const [env, key] of rows) t.equal(keyToSend(env), key)
})

t.test('what is wrong names the file and the remedy, and no key', async t => {
  mkdirSync(file('folder'))
  const rows: [env: Record<string, string>, message: RegExp][] = [
    [{ API_KEY_FILE: file('none') }, /API_KEY_FILE is ".*none", which cannot be read \(ENOENT\); .*give the path/],
    [{ API_KEY_FILE: file('folder') }, /\(EISDIR\); it is a folder/],
    [{ API_KEY_FILE: file('empty') }, /which holds no key; write one a line/],
    [{ API_KEY: ', ,' }, /API_KEY holds no key but commas/],
    [
      { ...TARGET, TARGET_API_KEY_FILE: file('keys') },
      /TARGET_API_KEY_FILE is ".*keys", which holds 2 keys; leave the one/,
    ],
    [{ ...TARGET, TARGET_API_KEY_FILE: file('none') }, /TARGET_API_KEY_FILE is ".*ENOENT/],
    [
      { ...TARGET, TARGET_API_KEY_FILE: file('one'), TARGET_API_KEY: 'k' },
      /TARGET_API_KEY and TARGET_API_KEY_FILE are set together/,
    ],
    [{ ...CROPPER, CROPPER_API_KEY_FILE: file('empty') }, /CROPPER_API_KEY_FILE is ".*no key/],
  ]
  for (const [env, message] of rows) {
    t.match(problems(env), message)
    t.notMatch(problems(env), /first-key|second,key|upstream-key/)
  }
})

t.test('what has no end is not read', { skip: process.platform !== 'linux' }, async t => {
  execFileSync('mkfifo', [file('pipe')])
  writeFileSync(file('long'), Buffer.alloc(1024 * 1024 + 1, 'k'))
  for (const path of [file('pipe'), '/dev/zero'])
    t.match(
      problems({ API_KEY_FILE: path }),
      /API_KEY_FILE is ".*", which is a pipe, a device or a socket, and no file; give the path of a file with a key a line\./,
    )
  t.match(
    problems({ ...TARGET, TARGET_API_KEY_FILE: file('long') }),
    /which has more than 1048576 bytes; give the path/,
  )
})

t.test('a file that nobody but root may read', { skip: process.getuid?.() === 0 && 'root reads all' }, async t => {
  writeFileSync(file('locked'), 'k', { mode: 0o000 })
  t.match(
    problems({ API_KEY_FILE: file('locked') }),
    /\(EACCES\); let the user of this service read it \(its id is \d+\)/,
  )
})

t.test('a file that everybody may read is worth a warning', { skip: process.platform === 'win32' }, async t => {
  writeFileSync(file('open'), 'k')
  chmodSync(file('open'), 0o644)
  t.match(readConfig({ API_KEY_FILE: file('open') }).warnings, [
    /API_KEY_FILE is ".*open", which every user.*chmod o-r/,
  ])
  t.match(readConfig({ ...TARGET, TARGET_API_KEY_FILE: file('open') }).warnings, [/^TARGET_API_KEY_FILE/])
  t.strictSame(readConfig({ API_KEY_FILE: file('one') }).warnings, [])
})
