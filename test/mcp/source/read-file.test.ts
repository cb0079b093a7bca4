import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import t from 'tap'
import { placeOf, type Reading, readWithin } from '../../../src/mcp/source/read-file.js'
import type { Root } from '../../../src/mcp/source/roots.js'

const base = realpathSync(mkdtempSync(join(tmpdir(), 'cropvlm-roots-')))
const root = join(base, 'root')
mkdirSync(join(root, 'below/deep'), { recursive: true })
mkdirSync(join(base, 'root-of-others'))
mkdirSync(join(base, 'other'))
writeFileSync(join(root, 'a.png'), 'a')
writeFileSync(join(root, '..a.png'), 'dots')
writeFileSync(join(root, 'below/b.png'), 'b')
writeFileSync(join(root, 'empty.png'), '')
writeFileSync(join(root, 'ten.png'), '0123456789')
writeFileSync(join(base, 'other/secret.png'), 'secret')
writeFileSync(join(base, 'root-of-others/secret.png'), 'secret')
symlinkSync(join(root, 'below'), join(root, 'inward'))
symlinkSync('../other', join(root, 'outward'))
symlinkSync('../other/secret.png', join(root, 'outward.png'))
symlinkSync('/proc/self/environ', join(root, 'environ.png'))
symlinkSync('nowhere', join(root, 'dangling.png'))
symlinkSync('loop.png', join(root, 'loop.png'))
symlinkSync(root, join(base, 'alias'))

const roots: Root[] = [{ given: join(base, 'alias'), real: root }]
const { signal } = new AbortController()
const read = async (path: string, more: Partial<Reading> = {}) =>
  (await readWithin(path, { roots, cwd: root, maxBytes: 9, signal, ...more })).toString()

t.test('what lies within the roots is read', async t => {
  t.equal(await read('a.png'), 'a')
  t.equal(await read(join(root, 'below/../a.png')), 'a')
  t.equal(await read(join(base, 'alias/a.png')), 'a', 'by the path that was given for the root')
  t.equal(await read('inward/b.png'), 'b', 'a link that stays inside')
  t.equal(await read('..a.png'), 'dots')
  t.equal(await read('b.png', { cwd: join(root, 'below') }), 'b', 'relative to the working folder')
  t.equal(await read('a.png', { cwd: join(root, 'below') }), 'a', 'else relative to a root')
  t.equal(await read('a.png', { cwd: '/' }), 'a')
  t.equal(await read('ten.png', { maxBytes: 10 }), '0123456789')
  const home = [{ given: homedir(), real: homedir() }]
  await t.rejects(read('~/missing-picture.png', { roots: home }), /no file ~\/missing-picture\.png/)
})

const OUTSIDE = /is not within the folders that may be read .*alias.*--root/

/** What a model might be talked into, or get wrong. */
const ATTACKS: [path: string, says: RegExp][] = [
  ['/etc/passwd', OUTSIDE],
  ['../other/secret.png', OUTSIDE],
  ['below/../../other/secret.png', OUTSIDE],
  [join(base, 'root/../other/secret.png'), OUTSIDE],
  [join(base, 'root-of-others/secret.png'), OUTSIDE],
  [`${root}/../root-of-others/secret.png`, OUTSIDE],
  ['outward.png', OUTSIDE],
  ['outward/secret.png', OUTSIDE],
  ['outward/missing.png', /no file/],
  [root.toUpperCase(), OUTSIDE],
  [join(root.toUpperCase(), 'a.png'), OUTSIDE],
  [relative(root, '/etc/passwd'), OUTSIDE],
  ['/etc/there-is-no-such-file', OUTSIDE],
  ['~/.ssh/id_rsa', OUTSIDE],
  ['/proc/self/environ', OUTSIDE],
  ['environ.png', OUTSIDE],
  ['/dev/stdin', OUTSIDE],
  ['/dev/zero', OUTSIDE],
  ['a.png\0.txt', /null character/],
  ['missing.png', /no file missing\.png.*Relative paths begin in/],
  ['a.png/b.png', /no file/],
  ['dangling.png', /no file/],
  ['loop.png', /leads to no file \(ELOOP\)/],
  [`${'x'.repeat(300)}.png`, /no file/],
  ['below', /is a folder/],
  ['.', /is a folder/],
  ['', /is a folder/],
  ['empty.png', /is empty/],
  ['ten.png', /has 10 bytes; at most 9 are read \(MAX_BODY_BYTES\)/],
]

t.test('what does not, or is no file, is not', { skip: process.platform === 'win32' && 'paths of POSIX' }, async t => {
  for (const [path, says] of ATTACKS)
    await t.rejects(read(path), { name: 'ToolError', message: says }, JSON.stringify(path))
})

t.test('pipes, sockets, devices', { skip: process.platform !== 'linux' && 'of Linux' }, async t => {
  const pipe = join(root, 'pipe.png')
  execFileSync('mkfifo', [pipe])
  await t.rejects(read('pipe.png'), /is a pipe, a device or a socket/, 'and nobody waits for who writes into it')
  const server = createServer().listen(join(root, 'socket.png'))
  t.teardown(() => server.close())
  await t.rejects(read('socket.png'), /is a pipe, a device or a socket/)
  const everything = [{ given: '/', real: '/' }]
  for (const path of ['/dev/zero', '/proc/self/environ', '/sys/kernel/vmcoreinfo', 'environ.png'])
    await t.rejects(read(path, { roots: everything }), { name: 'ToolError' }, path)
  t.equal(await read(join(base, 'other/secret.png'), { roots: everything }), 'secret')
})

t.test('without roots nothing is read', async t => {
  await t.rejects(read('a.png', { roots: [] }), /No folder may be read.*--root DIR/)
})

t.test('a call that was given up reads no further', async t => {
  await t.rejects(read('a.png', { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
})

t.test('what counts is the file that is open, wherever its path leads by then', async t => {
  const swapped = join(root, 'swapped.png')
  writeFileSync(swapped, 'inside')
  const file = await open(join(base, 'other/secret.png'))
  t.teardown(() => file.close())
  if (process.platform === 'linux') t.equal(await placeOf(file, swapped), join(base, 'other/secret.png'))
  await t.rejects(placeOf(file, swapped, 'darwin'), /was replaced/)
  t.equal(await placeOf(file, join(root, 'outward.png'), 'darwin'), join(base, 'other/secret.png'))
})
