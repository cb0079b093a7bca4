/** Model folders that mean harm, or are broken: each is refused with the file and the reason, before anything large is read. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { MODELS } from '../../support/goldens.js'
import { copy, type Json, refused } from '../../support/model-folders/broken.js'

const GRAPH = 'onnx/vision_encoder.onnx'

const described = (t: Test, change: (json: Json) => Json) => {
  const folder = copy(t)
  folder.edit('cropvlm.json', change)
  return folder.read()
}
const hashed = (file: string) => (json: Json) => ({
  ...json,
  sha256: { ...(json.sha256 as Json), [file]: '0'.repeat(64) },
})

t.test('a file that is not in the folder is not opened', async t => {
  for (const file of ['../../../../etc/passwd', 'onnx/../../secret', '/etc/passwd', '..', '/dev/zero'])
    await refused(t, described(t, hashed(file)), /leads out of the model folder/)
})

t.test('a pipe, a device, a folder', async t => {
  const { dir, edit, read } = copy(t)
  execFileSync('mkfifo', [`${dir}/pipe`])
  symlinkSync('/dev/zero', `${dir}/zero`)
  symlinkSync('pipe', `${dir}/to-pipe`)
  for (const [file, message] of [
    ['pipe', /pipe: the file is no regular file/],
    ['to-pipe', /to-pipe: the file is no regular file/],
    ['onnx', /onnx: the file is no regular file/],
    ['zero', /zero: the file is a link out of the model folder, to \/dev\/zero/],
  ] as const) {
    edit('cropvlm.json', hashed(file))
    await refused(t, read(), message)
    edit('cropvlm.json', json => ({
      ...json,
      sha256: JSON.parse(readFileSync(`${MODELS}tiny/cropvlm.json`, 'utf8')).sha256,
    }))
  }
  rmSync(`${dir}/config.json`)
  execFileSync('mkfifo', [`${dir}/config.json`])
  await refused(t, read(), /config\.json: the file is no regular file/)
})

t.test("links: out of the folder none, inside of it and inside of the hub's cache as they are", async t => {
  const { dir, read } = copy(t)
  const outside = t.testdirName
  renameSync(`${dir}/${GRAPH}`, `${dir}/onnx/real`)
  symlinkSync('real', `${dir}/${GRAPH}`)
  await t.resolves(read(), 'a link to a neighbour')
  mkdirSync(`${dirname(outside)}/elsewhere`, { recursive: true })
  t.teardown(() => rmSync(`${dirname(outside)}/elsewhere`, { recursive: true, force: true }))
  renameSync(`${dir}/onnx/real`, `${dirname(outside)}/elsewhere/graph`)
  rmSync(`${dir}/${GRAPH}`)
  symlinkSync(`${dirname(outside)}/elsewhere/graph`, `${dir}/${GRAPH}`)
  await refused(t, read(), /vision_encoder\.onnx: the file is a link out of the model folder/)

  const hub = copy(t, `${t.testdir()}/models--a--b/snapshots/main`)
  mkdirSync(`${hub.dir}/../../blobs`)
  renameSync(`${hub.dir}/${GRAPH}`, `${hub.dir}/../../blobs/graph`)
  symlinkSync('../../../blobs/graph', `${hub.dir}/${GRAPH}`)
  await t.resolves(hub.read(), "the hub's own way to keep files")
})

t.test('weights beside a graph that are not beside it', async t => {
  const { dir, read, rehash } = copy(t)
  const location = '../../../secret'
  const graph = readFileSync(`${dir}/${GRAPH}`)
  writeFileSync(`${dir}/${GRAPH}`, Buffer.concat([graph, external(location)]))
  rehash()
  await refused(t, read(), /vision_encoder\.onnx: its weights are in \.\.\/\.\.\/\.\.\/secret, which leads out/)
})

t.test('sizes are known before a file is read', async t => {
  for (const [file, bytes] of [
    ['config.json', 500e6],
    ['cropvlm.json', 500e6],
    ['tokenizer.json', 200e6],
    ['chat_template.json', 100e6],
    ['generation_config.json', 5e6],
  ] as const) {
    const { dir, read } = copy(t)
    truncateSync(`${dir}/${file}`, bytes)
    await refused(t, read(false), new RegExp(`${file}: the file has ${bytes} bytes, and at most \\d+ are read`))
  }
})

t.test('numbers that are no sizes', async t => {
  const text = (config: Json, change: Json) => ({
    ...config,
    text_config: { ...(config.text_config as Json), ...change },
  })
  const vision = (config: Json, change: Json) => ({
    ...config,
    vision_config: { ...(config.vision_config as Json), ...change },
  })
  const changes: [(config: Json) => Json, RegExp][] = [
    [config => vision(config, { image_size: 24_000 }), /`vision_config\.image_size` is 24000, .* from 1 to 4096/],
    [config => vision(config, { patch_size: 65 }), /makes no token/],
    [config => text(config, { max_position_embeddings: 20 }), /is 20, but one tile takes 16 tokens/],
    [config => text(config, { max_position_embeddings: 1e15 }), /from 1 to 10000000/],
    [config => text(config, { num_attention_heads: 3, head_dim: undefined }), /multiple of `num_attention_heads`/],
    [config => text(config, { num_key_value_heads: '2' }), /`text_config\.num_key_value_heads` is "2"/],
    [config => text(config, { head_dim: -1 }), /`text_config\.head_dim` is -1/],
  ]
  for (const [change, message] of changes) {
    const { edit, read } = copy(t)
    edit('config.json', change)
    await refused(t, read(false), message)
  }
  const others: [string, Json, RegExp][] = [
    ['preprocessor_config.json', { image_std: [0, 0.5, 0.5] }, /`image_std` has to be three numbers from 0\.0001/],
    ['preprocessor_config.json', { image_mean: [1e308, 0, 0] }, /`image_mean` has to be three numbers from -10000 to/],
    ['preprocessor_config.json', { rescale_factor: 1e308 }, /`rescale_factor` has to be a number from 0\.0001 to/],
    ['preprocessor_config.json', { rescale_factor: 'x' }, /`rescale_factor` has to be a number/],
    ['generation_config.json', { eos_token_id: [-5] }, /`eos_token_id` has to be a token id, from 0 to 16777216/],
    ['generation_config.json', { eos_token_id: 1e15 }, /`eos_token_id` has to be a token id/],
    ['generation_config.json', { eos_token_id: Array(101).fill(1) }, /a list of at most 100 of them/],
  ]
  for (const [file, change, message] of others) {
    const { edit, read } = copy(t)
    edit(file, json => ({ ...json, ...change }))
    await refused(t, read(false), message)
  }
})

t.test('a file that would be hashed for hours', async t => {
  const { dir, edit, read } = copy(t)
  writeFileSync(`${dir}/README.md`, '')
  truncateSync(`${dir}/README.md`, 2 ** 40)
  edit('cropvlm.json', hashed('README.md'))
  await refused(t, read(), /README\.md: the file has 1099511627776 bytes, and at most 68719476736 are read/)
})

t.test('every fault of cropvlm.json is named at once', async t => {
  const faulty = described(t, json => ({
    ...json,
    id: '../a\nb',
    resolutions: [96, 1e15],
    default_precision: {},
    scores: 'x',
    sha256: { 'config.json': 'ab' },
    warning: 7,
    training: undefined,
    attention: { layers: [-1] },
  }))
  await refused(
    t,
    faulty,
    new RegExp(
      [
        'cropvlm\\.json: ',
        '- `id` is "../a\\\\nb", but has to be a name .*',
        '- `resolutions.1` is 1000000000000000, but has to be a whole number of pixels from 16 to 16384.',
        '- `default_precision` is \\{\\}, but has to be one of fp32, .*',
        '- `sha256.config.json` is "ab", but has to be a sha256 of 64 hexadecimal digits.',
        '- `warning` is 7, but has to be a text .*',
        '- `scores` is "x", but has to be an object.',
        '- `attention.layers.0` is -1, but has to be a layer, from 0 to 999.',
        'Fetch or export the model again, or use another one.$',
      ].join('\\n'),
    ),
  )
  await refused(
    t,
    described(t, json => ({ ...json, format: '2' })),
    /`format` is "2", but has to be the number 2/,
  )
  await refused(
    t,
    described(t, json => ({ ...json, resolutions: undefined })),
    /`resolutions` is missing; it has to be/,
  )
  for (const [change, message] of [
    [
      { attention: { layers: [1e15] } },
      /`attention\.layers\.0` is 1000000000000000, but has to be a layer, from 0 to 999/,
    ],
    [{ attention: { layers: [3, 3] } }, /`attention\.layers` is \[3,3\], but has to be a list of layers, .* each once/],
    [{ warning: 'safe\nERROR' }, /`warning` is "safe\\nERROR", but has to be a text .* in one line/],
    [{ warning: 'safe\u001b[2J' }, /`warning` is .* in one line/],
    [{ warning: 'safe\u202egpj' }, /`warning` is .* in one line/],
  ] as const)
    await refused(
      t,
      described(t, json => ({ ...json, ...change })),
      message,
    )
  await t.resolves(described(t, json => ({ ...json, warning: 'Größe: “nur” für Belege – 漢字 👨‍👩‍👧 می‌خواهم.' })))
})

// found by `npm run fuzz`: the stack ran out, and keys were printed as they came
t.test('JSON that nests too deep, and keys that do not print', async t => {
  const deep = '['.repeat(5000) + ']'.repeat(5000)
  for (const file of ['cropvlm.json', 'config.json', 'tokenizer.json']) {
    const { dir, edit, read } = copy(t)
    // JSON.stringify cannot write it
    edit(file, json => ({ ...json, warning: 'DEEP' }))
    const text = readFileSync(`${dir}/${file}`, 'utf8')
    writeFileSync(`${dir}/${file}`, text.replace('"DEEP"', deep))
    await refused(t, read(false), new RegExp(`${file}: lists and objects nest over 100 levels deep in it`))
  }
  await refused(
    t,
    described(t, json => ({ ...json, sha256: { 'a\nb\u202e\u0085': 'x', [`${'k'.repeat(90)}`]: 1 } })),
    /- `sha256\.a\ufffdb\ufffd\ufffd` is "x", but .*\n- `sha256\.k{73}\.\.\.` is 1, but/,
  )
})

/** A tensor's entry that names a file of weights, as the protobuf of ONNX has it; unknown to the graph's reader, which skips it. */
function external(location: string): Buffer {
  return Buffer.concat([
    Buffer.from('\x0a\x08location\x12', 'latin1'),
    Buffer.from([location.length]),
    Buffer.from(location),
  ])
}
