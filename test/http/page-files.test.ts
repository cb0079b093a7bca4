import t from 'tap'
import { readPage } from '../../src/http/page-files.js'

t.test('the files of a folder, of the kinds that a page has', async t => {
  const dir = t.testdir({
    'index.html': '<!doctype html>',
    'tsconfig.json': '{}',
    'notes.md': 'no',
    style: { 'base.css': 'a {}', deep: { 'x.js': '1' } },
  })
  const files = await readPage(dir)
  t.same([...files.keys()].sort(), ['index.html', 'style/base.css', 'style/deep/x.js'])
  t.match(files.get('style/base.css'), { type: 'text/css; charset=utf-8', bytes: Buffer.from('a {}') })
  t.not(files.get('index.html')?.etag, files.get('style/base.css')?.etag)
})

t.test('no page is told, with what makes one', async t => {
  await t.rejects(readPage(`${t.testdir()}/none`), /none cannot be read; `npm run build`/)
  await t.rejects(readPage(t.testdir({ 'main.js': '' })), /no index\.html; `npm run build`/)
})
