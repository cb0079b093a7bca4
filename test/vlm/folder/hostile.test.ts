/** Model folders that mean harm, or are broken: each is refused with the file and the reason, before anything large is read. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { readManifests } from '../../../src/vlm/folder/manifest.js'
import type { Idefics3 } from '../../../src/vlm/idefics3/idefics3.js'
import { promptIds } from '../../../src/vlm/idefics3/prompt.js'
import { MODELS } from '../../support/goldens.js'

type Json = { [key: string]: unknown }

const GRAPH = 'onnx/vision_encoder.onnx'

function copy(t: Test, to = t.testdir()) {
  mkdirSync(to, { recursive: true })
  cpSync(`${MODELS}tiny`, to, { recursive: true })
  const edit = (file: string, change: (json: Json) => Json) =>
    writeFileSync(`${to}/${file}`, JSON.stringify(change(JSON.parse(readFileSync(`${to}/${file}`, 'utf8')))))
  const read = (verifyHashes = true) => readManifests({ dir: to, role: 'cropper', precision: null, verifyHashes })
  return { dir: to, edit, read }
}

const refused = (t: Test, reading: Promise<unknown>, message: RegExp) =>
  t.rejects(reading, { code: 'invalid_model', message }, String(message))

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
  const { dir, edit, read } = copy(t)
  const location = '../../../secret'
  const graph = readFileSync(`${dir}/${GRAPH}`)
  writeFileSync(`${dir}/${GRAPH}`, Buffer.concat([graph, external(location)]))
  edit('cropvlm.json', json => ({ ...json, sha256: { ...(json.sha256 as Json), [GRAPH]: sum(`${dir}/${GRAPH}`) } }))
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
        '- `attention.layers.0` is -1, but has to be a layer, from 0.$',
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
})

t.test('a template that would fill the memory, and one that would not end', async t => {
  for (const [chat_template, message] of [
    ['{% for i in range(1000000000) %}{% endfor %}', /a range of 1000000000; at most 10000 are made/],
    ['{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}', /took longer than 1000 ms/],
    ['no picture', /writes 0 images for 1/],
    ['{{ nothing.at.all }}', /chat_template\.json: no prompt can be written/],
  ] as const) {
    const { edit, read } = copy(t)
    edit('chat_template.json', json => ({ ...json, chat_template }))
    await refused(t, read(false), message)
  }
  const { edit, read } = copy(t)
  const loops = '{% for i in range(2) %}{{ i }}{% endfor %}{% for i in range(3, -1, -2) %}{{ i }}{% endfor %}'
  edit('chat_template.json', json => ({ ...json, chat_template: `${json.chat_template}${loops}` }))
  const { family } = (await read(false)).cpu
  const { prompt } = family as Idefics3
  t.match(prompt.tokenizer.decode(promptIds(prompt, [{ rows: 0, cols: 0 }], 'a')), /0131$/, 'others may count')
})

t.test('patterns that would not end: at the start, and for one question', async t => {
  const pattern = (Regex: string) => (json: Json) => ({
    ...json,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }, json.pre_tokenizer],
    },
  })
  const always = copy(t)
  always.edit('tokenizer.json', pattern('(([A-Za-z ?]+)+)+#'))
  await refused(t, always.read(false), /took longer than 1000 ms/)

  const sometimes = copy(t)
  sometimes.edit('tokenizer.json', pattern('(z+)+#'))
  const { family } = (await sometimes.read(false)).cpu
  const { prompt } = family as Idefics3
  t.ok(promptIds(prompt, [], 'Where?').length > 0)
  t.throws(() => promptIds(prompt, [], 'z'.repeat(1900)), { code: 'model_failed', message: /longer than 1000 ms/ })
})

t.test('more added tokens than any model has', async t => {
  const { edit, read } = copy(t)
  const added_tokens = Array.from({ length: 20_001 }, (_, id) => ({ id, content: `<${id}>` }))
  edit('tokenizer.json', json => ({ ...json, added_tokens }))
  await refused(t, read(false), /`added_tokens` has to be a list of at most 20000 tokens/)
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

// found by `npm run fuzz`: each made a tokenizer whose tokens had no ids
t.test('a tokenizer that would fail at the first question', async t => {
  type Change = (json: Json) => Json
  const model =
    (change: Json): Change =>
    json => ({ ...json, model: { ...(json.model as Json), ...change } })
  const changes: [Change, RegExp][] = [
    [json => ({ ...json, added_tokens: [{ content: '<image>' }] }), /each of `added_tokens` has to have an `id`/],
    [json => ({ ...json, added_tokens: [{ id: 1, content: '' }] }), /each of `added_tokens`/],
    [json => ({ ...json, added_tokens: null }), /`added_tokens` has to be a list/],
    [model({ vocab: { a: -1 } }), /`model\.vocab` has to be an object of tokens and their ids/],
    [model({ vocab: null }), /`model\.vocab`/],
    [model({ unk_token: 'none', vocab: { a: 1 } }), /the tokenizer cannot be built/],
    [json => ({ ...json, decoder: { type: 'Nothing' } }), /the tokenizer cannot be built/],
  ]
  for (const [change, message] of changes) {
    const { edit, read } = copy(t)
    edit('tokenizer.json', change)
    await refused(t, read(false), message)
  }
})

/** A tensor's entry that names a file of weights, as the protobuf of ONNX has it; unknown to the graph's reader, which skips it. */
function external(location: string): Buffer {
  return Buffer.concat([
    Buffer.from('\x0a\x08location\x12', 'latin1'),
    Buffer.from([location.length]),
    Buffer.from(location),
  ])
}

function sum(file: string): string {
  return execFileSync('sha256sum', [file], { encoding: 'utf8' }).slice(0, 64)
}
