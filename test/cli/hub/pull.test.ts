/** What a pull does where the disk takes no more: a process of its own, which may not write longer files. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { compiledService } from '../../support/compiled.js'
import { startHub } from '../../support/fakes/hub-server.js'

t.setTimeout(240_000)

const GRAPHS = ['vision_encoder', 'embed_tokens', 'decoder_model_merged'].map(name => `onnx/${name}_quantized.onnx`)

t.test('what cannot be written is said at once, and the same command goes on from there', async t => {
  const content = Buffer.alloc(300_000, 'content')
  const lfs = Object.fromEntries(GRAPHS.map(path => [path, content]))
  const hub = await startHub({ 'a/b': { git: { 'config.json': Buffer.from('{}') }, lfs } })
  t.teardown(() => hub.close())
  const out = t.testdir()
  const pull = async (before: string) => {
    const args = [join(compiledService(), 'cli/main.js'), 'models', 'pull', 'a/b', '--out', out]
    const child = spawn('sh', ['-c', `unset NODE_OPTIONS; ${before} exec "$0" "$@"`, process.execPath, ...args], {
      env: { PATH: process.env.PATH, HF_ENDPOINT: hub.url },
    })
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    return { stderr, code }
  }
  // blocks of 512 bytes
  const { stderr, code } = await pull('ulimit -f 100;')
  t.match(
    stderr,
    /onnx\/\w+\.onnx \(300000 bytes\) cannot be written: it is longer than a file may be there\. Make room, or name another folder with --out, and run the same command again: it goes on from there\.\n$/,
  )
  t.equal(code, 1)
  const asked = hub.cdn.filter(({ range }) => range !== 'bytes=0-0')
  t.equal(asked.length, 1, 'another try would find it the same')
  const [, path = ''] = /(onnx\/\w+\.onnx) \(/.exec(stderr) ?? []
  t.equal(statSync(join(out, `${path}.part`)).size, 51_200)
  t.equal((await pull('')).code, 0)
  t.equal(hub.cdn.filter(({ url, range }) => url.endsWith(path) && range === 'bytes=51200-299999').length, 1)
  for (const graph of GRAPHS) t.ok(readFileSync(join(out, graph)).equals(content))
})
