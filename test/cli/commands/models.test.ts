import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CliError } from '../../../src/cli/command.js'
import { modelsCommand } from '../../../src/cli/commands/models.js'
import { readConfig } from '../../../src/config/service.js'
import { testWorld } from '../../support/cli/world.js'
import { startHub } from '../../support/fakes/hub-server.js'

const ID = 'someone/TinyVLM-Instruct'
const BIG = 'onnx/decoder_model_merged_quantized.onnx'
const DATA = 'onnx/decoder_model_merged_quantized.onnx_data'

function repository() {
  const graphs = ['vision_encoder', 'embed_tokens', 'decoder_model_merged']
  const lfs = Object.fromEntries(
    graphs.flatMap(graph => [
      [`onnx/${graph}.onnx`, randomBytes(3000)],
      [`onnx/${graph}_quantized.onnx`, randomBytes(200_000)],
    ]),
  )
  return {
    git: {
      'config.json': Buffer.from('{"model_type": "idefics3"}'),
      'chat_template.jinja': Buffer.from('{{ messages }}'),
      'model.safetensors.index.json': Buffer.from('{}'),
      '.gitattributes': Buffer.from('*.onnx filter=lfs'),
      'README.md': Buffer.from('# a model'),
      'training/args.json': Buffer.from('{}'),
    },
    lfs: {
      ...lfs,
      'tokenizer.json': randomBytes(50_000),
      [DATA]: randomBytes(300_000),
      'onnx/vision_encoder_q4.onnx': randomBytes(10),
      'model.safetensors': randomBytes(10),
    } as Record<string, Buffer>,
  }
}

async function setUp(
  t: Test,
  repositories = { [ID]: repository() as ReturnType<typeof repository> & { refuse?: number } },
) {
  const hub = await startHub(repositories)
  t.teardown(() => hub.close())
  const cwd = t.testdir()
  const root = join(cwd, 'models')
  const lines: string[] = []
  const write = (text: string | Uint8Array) => lines.push(String(text))
  const command = modelsCommand({ tries: 3, backoffMs: 1, stallMs: 1000, replyMs: 60_000 })
  const run = (args: string[], env: Record<string, string> = {}) =>
    testWorld({
      env: { HF_ENDPOINT: `${hub.url}/`, ...env },
      cwd,
      stdout: { write },
      stderr: { write },
    }).run([command], 'models', ...args)
  const pull = (...more: string[]) => run(['pull', ID, ...more])
  return { hub, root, out: join(root, 'TinyVLM-Instruct'), lines, run, pull, repository: repositories[ID] }
}

t.test('pulls the settings and the graphs of one precision, with external data', async t => {
  const { hub, out, lines, pull, repository } = await setUp(t)
  t.equal(await pull(), 0)
  t.same(readdirSync(out).sort(), ['README.md', 'chat_template.jinja', 'config.json', 'onnx', 'tokenizer.json'])
  t.same(readdirSync(join(out, 'onnx')).sort(), [
    'decoder_model_merged_quantized.onnx',
    'decoder_model_merged_quantized.onnx_data',
    'embed_tokens_quantized.onnx',
    'vision_encoder_quantized.onnx',
  ])
  t.ok(readFileSync(join(out, DATA)).equals(repository?.lfs[DATA] as Buffer))
  t.equal(hub.hub.filter(({ url }) => url.includes('/tree/')).length, 5, 'the list of 17 entries came in pages of 4')
  t.match(hub.hub.at(-1)?.url, /config\.json$/, 'config.json comes last')
  t.match(lines.join(''), /README\.md {2}9 B {2}fetched\n/)
  t.match(lines.join(''), `CROPPER_MODEL=${out} MODEL_PRECISION=quantized cropvlm serve (or npm start)`)

  const before = hub.cdn.length
  t.equal(await pull('--precision', 'fp32'), 0, 'another precision is added to the folder')
  t.equal(readdirSync(join(out, 'onnx')).length, 7)
  t.equal(hub.cdn.length - before, 6, 'of the CDN, nothing but the three new graphs is asked (size, then content)')
  t.match(lines.join(''), /tokenizer\.json {2}50\.0 kB {2}already there\n/)
  lines.length = 0
  t.equal(await pull(), 0)
  t.match(lines.join(''), /nothing to do/)
})

t.test('goes on after breaks within a run', async t => {
  const { hub, out, lines, pull, repository } = await setUp(t)
  hub.faults.breakAt.set(BIG, [60_000, 150_000])
  hub.faults.statuses.push(503, 403)
  t.equal(await pull(), 0)
  t.ok(readFileSync(join(out, BIG)).equals(repository?.lfs[BIG] as Buffer))
  const ranges = hub.cdn
    .filter(({ url, range }) => url.endsWith(BIG) && range !== 'bytes=0-0')
    .map(({ range }) => range)
  t.equal(ranges.length, 3)
  t.equal(ranges[0], null)
  t.match(ranges[1], /^bytes=\d{4,}-199999$/, 'continued by Range, not started over')
  t.match(ranges[2], /^bytes=\d{5,}-199999$/)
  t.match(lines.join(''), /HTTP 503.*trying again/)
})

t.test('goes on after a run that gave up', async t => {
  const { hub, out, pull, repository } = await setUp(t)
  hub.faults.breakAt.set(BIG, [100_000, 0, 0, 0])
  await t.rejects(pull(), { exitCode: 1, message: /broke off at \d+ of 200000 bytes .* Run the same command again/ })
  t.ok(existsSync(join(out, `${BIG}.part`)))
  t.notOk(existsSync(join(out, BIG)), 'nothing incomplete under the real name')
  t.notOk(existsSync(join(out, 'config.json')), 'and the folder is no model yet')
  hub.faults.breakAt.clear()
  hub.cdn.length = 0
  t.equal(await pull(), 0)
  const ranges = hub.cdn
    .filter(({ url, range }) => url.endsWith(BIG) && range !== 'bytes=0-0')
    .map(({ range }) => range)
  t.match(ranges, [/^bytes=[1-9]\d+-199999$/])
  t.ok(readFileSync(join(out, BIG)).equals(repository?.lfs[BIG] as Buffer))
})

t.test('a part of something else is thrown away', async t => {
  const { out, lines, pull, repository } = await setUp(t)
  mkdirSync(join(out, 'onnx'), { recursive: true })
  writeFileSync(join(out, `${BIG}.part`), 'stale')
  t.equal(await pull(), 0)
  t.ok(readFileSync(join(out, BIG)).equals(repository?.lfs[BIG] as Buffer))
  t.match(lines.join(''), /does not fit; starting over/)
})

t.test('wrong bytes are refused, and a stalled connection is left', async t => {
  const { hub, out, pull } = await setUp(t)
  hub.faults.stall.set(DATA, 1)
  hub.faults.damage.set(BIG, 1)
  await t.rejects(pull(), { exitCode: 1, message: /arrived damaged: its sha256 is [0-9a-f]{64}, the hub lists/ })
  t.notOk(existsSync(join(out, BIG)))
  t.notOk(existsSync(join(out, `${BIG}.part`)))
  t.equal(await pull(), 0, 'the stalled file was continued, the damaged one fetched anew')
  t.ok(existsSync(join(out, DATA)))
})

t.test('the token goes to the hub and never to the CDN', async t => {
  const { hub, run } = await setUp(t)
  t.equal(await run(['pull', ID], { HF_TOKEN: 'hf_secret' }), 0)
  t.ok(hub.hub.every(({ authorization }) => authorization === 'Bearer hf_secret'))
  t.ok(hub.cdn.length > 0 && hub.cdn.every(({ authorization }) => authorization === null))
})

t.test('what cannot be had is said plainly', async t => {
  const bare = { git: { 'config.json': Buffer.from('{}') }, lfs: { 'model.safetensors': Buffer.from('x') } }
  const [gated, forbidden] = [repository(), repository()]
  const { run, pull, root, lines } = await setUp(t, {
    [ID]: repository(),
    'someone/bare': bare,
    'someone/gated': { ...gated, refuse: 401 },
    'someone/forbidden': { ...forbidden, refuse: 403 },
  } as never)
  await t.rejects(run(['pull', 'someone/nothing']), {
    exitCode: 3,
    message: /has no someone\/nothing at revision main \(404\)/,
  })
  await t.rejects(pull('--revision', 'v9'), { exitCode: 3, message: /at revision v9/ })
  t.equal(await pull('--revision', 'v1', '--out', join(root, 'other')), 0)
  await t.rejects(run(['pull', 'someone/bare']), { exitCode: 3, message: /no onnx\/ folder/ })
  await t.rejects(pull('--precision', 'q4'), {
    exitCode: 3,
    message: /has no q4 graphs for all of .*; it has fp32, q8\./,
  })
  await t.rejects(run(['pull', 'someone/gated']), {
    exitCode: 4,
    message: /refuses someone\/gated \(401\).*set HF_TOKEN/,
  })
  await t.rejects(run(['pull', 'someone/forbidden'], { HF_TOKEN: 'hf_x' }), {
    exitCode: 4,
    message: /account behind HF_TOKEN/,
  })
  await t.rejects(pull('--precision', 'q9'), { exitCode: 2, message: /q9 is unknown; .* q8\./ })
  await t.rejects(run(['pull', '../evil']), { exitCode: 2, message: /no hub id/ })
  t.equal(await run(['push', ID]), 2)
  t.match(lines.splice(0).join(''), /unknown command 'push'/)
  t.equal(await run(['pull', ID, '--nonsense']), 2)
  t.match(lines.splice(0).join(''), /nonsense/)
  await t.rejects(run(['pull', ID], { HF_TOKEN: 'abc' }), { exitCode: 2, message: /hf_/ })
  await t.rejects(run(['pull', ID], { HF_ENDPOINT: 'hub.local' }), { exitCode: 2, message: /must be a URL/ })
  await t.rejects(run(['pull', ID], { HF_ENDPOINT: 'http://127.0.0.1:9' }), {
    exitCode: 1,
    message: /could not be asked .* HF_ENDPOINT/,
  })
  await t.rejects(run(['pull', 'someone/bare']), CliError)
})

t.test('never mixes another model into one of ours; lists what is there', async t => {
  const { root, out, lines, run, pull } = await setUp(t)
  t.equal(await run(['list']), 0)
  t.match(lines.join(''), /No model folders in/)
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'cropvlm.json'), '{"role": "cropper"}')
  await t.rejects(pull(), { exitCode: 2, message: /holds another model/ })
  await pull('--out', join(root, 'pulled'))
  lines.length = 0
  t.equal(await run(['list']), 0)
  t.match(lines.join(''), /TinyVLM-Instruct {2}CropVLM cropper {2}incomplete/)
  t.match(lines.join(''), /pulled {2}from a hub {2}q8 {2}950\.0 kB\n/)
  t.match(lines.join(''), /models\/cropvlm-mini {2}CropVLM cropper {2}fp32 int8 /, 'and those that the package brings')
  t.equal(await run(['--help']), 0)
})

t.test('the settings that a pull names are ones that the service takes', async t => {
  const { out, lines, pull } = await setUp(t)
  await pull('--precision', 'q8')
  const [, model, precision] = /CROPPER_MODEL=(\S+) MODEL_PRECISION=(\S+) cropvlm serve/.exec(lines.join('')) ?? []
  t.equal(model, out)
  t.equal(readConfig({ CROPPER_MODEL: model, MODEL_PRECISION: precision }).modelPrecision, 'quantized')
})
