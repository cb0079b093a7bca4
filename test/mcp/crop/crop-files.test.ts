import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { CropFiles } from '../../../src/mcp/crop/crop-files.js'

const picture = { mediaType: 'image/jpeg', width: 1, height: 1, bytes: Buffer.from('picture') }

t.test('a folder of its own: private, bounded, and gone at the end', async t => {
  const files = new CropFiles(null)
  t.same(await files.own(), [])
  await files.close()
  const first = await files.write(picture)
  const folder = dirname(first)
  t.match((await files.own())[0], { given: folder })
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(statSync(first).mode & 0o777, 0o600)
  t.equal(readFileSync(first, 'utf8'), 'picture')
  t.match(first, /zoom-[0-9a-f-]{36}\.jpg$/)
  for (let i = 1; i < 200; i++) await files.write(picture)
  t.ok(existsSync(first))
  const last = await files.write({ ...picture, mediaType: 'image/png' })
  t.match(last, /\.png$/)
  t.notOk(existsSync(first), 'the oldest went')
  t.equal(readdirSync(folder).length, 200)
  await files.close()
  t.notOk(existsSync(folder))
})

t.test('a folder that a person named: made where it is missing, kept, with what was in it', async t => {
  const out = join(t.testdir({}), 'new/out')
  const files = new CropFiles(out)
  const path = await files.write(picture)
  t.equal(dirname(path), out)
  writeFileSync(join(out, 'mine.jpg'), 'mine')
  await files.write(picture)
  t.same(await files.own(), [], 'what else is in it is not to be read for that')
  await files.close()
  t.equal(readdirSync(out).length, 3)
  t.equal(readFileSync(join(out, 'mine.jpg'), 'utf8'), 'mine')
  rmSync(out, { recursive: true })
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, 'a file where the folder was')
  await t.rejects(files.write(picture), { code: 'EEXIST' })
})
