import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { isWithin, Roots, rootAt } from '../../../src/mcp/source/roots.js'

const base = realpathSync(t.testdir({ a: {}, b: {}, 'file.png': 'x' }))
symlinkSync(join(base, 'a'), join(base, 'link'))
const path = (name: string) => join(base, name)
const root = (name: string) => ({ given: path(name), real: path(name) })
const uri = (name: string) => pathToFileURL(path(name)).href

t.test('a folder by its given and its real path', async t => {
  t.same(await rootAt(path('link')), { given: path('link'), real: path('a') })
  t.equal(await rootAt(path('file.png')), null)
  t.equal(await rootAt(path('missing')), null)
})

t.test('whose folders count', async t => {
  const list = (sources: Partial<ConstructorParameters<typeof Roots>[0]>) =>
    new Roots({ given: [], askHost: () => null, cwd: path('b'), ...sources }).list()
  const host = (...uris: string[]) => ({ askHost: () => Promise.resolve(uris) })
  t.same(await list({ given: [root('a')], ...host(uri('b')) }), [root('a')], "--root, whatever the host's")
  t.same(await list(host(uri('a'), uri('b'))), [root('a'), root('b')], "the host's")
  t.same(await list(host(uri('a'), 'vscode-vfs://github/x', uri('missing'), uri('file.png'), 'file://h/%')), [
    root('a'),
  ])
  t.same(await list(host('vscode-vfs://github/x')), [], 'a remote workspace is nothing on this disk')
  t.same(await list({}), [root('b')], 'the working folder')
  t.same(await list(host()), [root('b')], 'a host that names none')
  t.same(await list({ cwd: '/' }), [], 'but not the whole disk')
})

t.test('the host is asked once, and again when it says so or has failed', async t => {
  let asked = 0
  const roots = new Roots({
    given: [],
    askHost: async () => {
      asked += 1
      if (asked === 1) throw new Error('busy')
      return [uri('a')]
    },
    cwd: path('b'),
  })
  await t.rejects(roots.list(), { name: 'ToolError', message: /busy.*--root DIR/ })
  await Promise.all([roots.list(), roots.list()])
  t.equal(asked, 2)
  roots.forget()
  t.same(await roots.list(), [root('a')])
  t.equal(asked, 3)
})

t.test('within, by the letters', async t => {
  mkdirSync(path('a/..x'))
  writeFileSync(path('a/..x/y'), '')
  for (const inside of ['', 'b', 'b/c', '..x/y']) t.ok(isWithin('/a', join('/a', inside)), inside)
  for (const outside of ['/', '/b', '/ab', '/a/..', '/a/../b']) t.notOk(isWithin('/a', join(outside)), outside)
  t.ok(isWithin('/', '/etc/passwd'))
})
