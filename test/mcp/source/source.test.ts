import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { openSource, type SourceOptions } from '../../../src/mcp/source/source.js'
import { png } from '../../support/images/pictures.js'

const picture = png(30, 20)
const folder = realpathSync(t.testdir({ 'a b.png': picture, 'no.png': 'no picture', 'large.png': png(2000, 1000) }))
const options: SourceOptions = {
  roots: async () => [{ given: folder, real: folder }],
  cwd: folder,
  maxBytes: 2000,
  limits: { maxPixels: 1e6, maxAspect: 100 },
  links: null,
}
const { signal } = new AbortController()
const open = (text: string, more: Partial<SourceOptions> = {}) => openSource(text, { ...options, ...more }, signal)

t.test('paths, URLs of files and data, links', async t => {
  const bytes = { kind: 'bytes', bytes: picture }
  t.same(await open('a b.png'), bytes)
  t.same(await open(pathToFileURL(join(folder, 'a b.png')).href), bytes)
  const base64 = picture.toString('base64')
  t.same(await open(`data:image/png;base64,${base64}`), bytes)
  t.same(await open(`DATA:;base64,${base64.replace(/.{40}/g, '$&\n')}`), bytes, 'of any type, in lines')
  t.same(await open('https://example.com/a.png'), { kind: 'link', link: 'https://example.com/a.png' })
  t.same(await open('HTTP://example.com/a.png', { links: true }), { kind: 'link', link: 'HTTP://example.com/a.png' })
})

t.test('what is wrong with them', async t => {
  const rows: [text: string, says: RegExp][] = [
    ['no.png', /not JPEG, PNG or WebP/],
    ['large.png', /2000x1000 pixels/],
    ['file://host/a.png', /no URL of a file on this machine/],
    ['file:///a%00.png', /null character/],
    ['file:///etc/passwd', /not within/],
    ['ftp://example.com/a.png', /"ftp:" is not read/],
    ['javascript:alert(1)', /no file javascript:alert\(1\)/],
    ['data:image/png;base64,@@@', /data URL cannot be read/],
    ['data:image/png', /data URL cannot be read/],
    ['data:image/svg+xml,<svg/>', /not JPEG, PNG or WebP/],
    [`data:image/png;base64,${Buffer.alloc(2001).toString('base64')}`, /holds 2001 bytes; at most 2000/],
    [`data:image/png;base64,${'A'.repeat(10_000)}`, /holds more than 2000 bytes/],
  ]
  for (const [text, says] of rows) await t.rejects(open(text), { message: says }, text.slice(0, 60))
  await t.rejects(open('https://example.com/a.png', { links: false }), /IMAGE_URLS is off/)
})
