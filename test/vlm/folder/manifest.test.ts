import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { type Manifest, type ManifestOptions, readManifests } from '../../../src/vlm/folder/manifest.js'
import type { Idefics3 } from '../../../src/vlm/idefics3/idefics3.js'
import { MODELS } from '../../support/goldens.js'

type Json = { [key: string]: unknown }

const readManifest = async (options: ManifestOptions) => (await readManifests(options)).cpu
const idefics3 = ({ family }: Manifest) => family as Idefics3

/** A copy of a fixture that a test may damage. */
const copy = (test: Pick<typeof t, 'testdir'>, folder: string) => {
  const dir = test.testdir()
  cpSync(`${MODELS}${folder}`, dir, { recursive: true })
  return {
    dir,
    edit(file: string, change: (json: Json) => Json) {
      writeFileSync(`${dir}/${file}`, JSON.stringify(change(JSON.parse(readFileSync(`${dir}/${file}`, 'utf8')))))
    },
    read: (changes: { precision?: string; verifyHashes?: boolean } = {}) =>
      readManifest({ dir, role: 'cropper', precision: null, verifyHashes: false, ...changes }),
  }
}
t.test('an export of ours', async t => {
  const { dir, read } = copy(t, 'tiny')
  const { info, graphs, family, eos, ...rest } = await read({ verifyHashes: true })
  const { processor, prompt, imageToken } = family as Idefics3
  t.match(info, { id: 'tiny', role: 'cropper', precision: 'fp32', resolutions: [64, 128, 256], defaultResolution: 64 })
  t.type(info.revision, 'string')
  t.match(info.training, { recipe: 'random weights' })
  t.match(info.sha256['onnx/vision_encoder.onnx'], /^[0-9a-f]{64}$/)
  t.equal(graphs.decoder, `${dir}/onnx/decoder_model_merged.onnx`)
  t.same(processor, {
    tile: 64,
    split: true,
    rescale: 0.00392156862745098,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  })
  t.equal(prompt.tokensPerTile, 16)
  t.same([...eos], [prompt.tokenizer.id('<end_of_utterance>')])
  t.equal(imageToken, prompt.tokenizer.id('<image>'))
  t.match(rest, { maxPositions: 2048, cache: { heads: 2, headDim: 16 }, attention: null })
  t.same((await copy(t, 'tiny-attention').read()).attention, [1, 0])
})

t.test("a hub folder: named by the folder, resolutions from the processor's sizes", async t => {
  const { read, edit } = copy(t, 'tiny-hub')
  const { info } = await read({ verifyHashes: true })
  t.match(info, { revision: null, training: null, resolutions: [64, 128, 256], defaultResolution: 64 })
  t.same(Object.keys(info.sha256).length, 3, 'hashes of what was loaded')
  edit('preprocessor_config.json', json => ({ ...json, size: { longest_edge: 200 } }))
  t.same((await read()).info.resolutions, [64, 128])
})

t.test('precisions', async t => {
  const { dir, read } = copy(t, 'tiny-hub')
  for (const graph of ['vision_encoder', 'embed_tokens', 'decoder_model_merged'])
    renameSync(`${dir}/onnx/${graph}.onnx`, `${dir}/onnx/${graph}_quantized.onnx`)
  t.equal((await read()).info.precision, 'quantized', 'the one that is there')
  t.match((await read({ precision: 'q8' })).graphs.embed, /embed_tokens_quantized.onnx$/)
  await t.rejects(read({ precision: 'fp16' }), {
    code: 'invalid_model',
    message: /vision_encoder_fp16.onnx: the file is missing; this folder has all graphs in quantized, not in fp16/,
  })
  await t.rejects(read({ precision: 'best' }), { code: 'invalid_model', message: /not in best/ })
  rmSync(`${dir}/onnx/embed_tokens_quantized.onnx`)
  await t.rejects(read(), { code: 'invalid_model', message: /vision_encoder.onnx: the file is missing/ })
})

const A_TEMPLATE = "{% for part in messages[0].content %}{{ part.text or '<image>' }}{% endfor %}"
const ANOTHER = `${A_TEMPLATE}!`

t.test('newer folders: a Jinja file, the image processor inside processor_config.json, several ends', async t => {
  const { dir, read, edit } = copy(t, 'tiny-hub')
  const before = await read()
  const image = JSON.parse(readFileSync(`${dir}/preprocessor_config.json`, 'utf8'))
  edit('processor_config.json', json => ({ ...json, image_processor: image }))
  rmSync(`${dir}/preprocessor_config.json`)
  writeFileSync(`${dir}/chat_template.jinja`, A_TEMPLATE)
  edit('generation_config.json', json => ({ ...json, eos_token_id: [2, 42] }))
  const after = await read()
  t.same(idefics3(after).processor, idefics3(before).processor)
  t.equal(idefics3(after).prompt.chatTemplate, A_TEMPLATE)
  t.same([...after.eos].sort(), [2, 42])
  rmSync(`${dir}/chat_template.jinja`)
  rmSync(`${dir}/chat_template.json`)
  rmSync(`${dir}/generation_config.json`)
  edit('tokenizer_config.json', json => ({ ...json, chat_template: ANOTHER, bos_token: { content: '<|im_start|>' } }))
  const last = await read()
  t.match(idefics3(last).prompt, { chatTemplate: ANOTHER, templateTokens: { bos_token: '<|im_start|>' } })
  t.equal(last.eos.size, 1)
})

t.test('whatever is missing or damaged is named', async t => {
  for (const file of [
    'config.json',
    'preprocessor_config.json',
    'chat_template.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'onnx/embed_tokens.onnx',
  ]) {
    const { dir, read } = copy(t, 'tiny')
    rmSync(`${dir}/${file}`)
    const named = file === 'chat_template.json' ? 'tokenizer_config.json' : file
    await t.rejects(read(), { code: 'invalid_model', message: new RegExp(named) }, `no ${file}`)
    await t.rejects(read({ verifyHashes: true }), { code: 'invalid_model', message: new RegExp(named) }, `no ${file}`)
  }
  for (const [file, content] of [
    ['config.json', '{'],
    ['tokenizer.json', '[]'],
    ['tokenizer.json', '{"model": {}}'],
    ['cropvlm.json', 'null'],
  ] as const) {
    const { dir, read } = copy(t, 'tiny')
    writeFileSync(`${dir}/${file}`, content)
    await t.rejects(read(), { code: 'invalid_model', message: new RegExp(file) }, `${file}: ${content}`)
  }
  await t.rejects(readManifest({ dir: '/nowhere', role: 'target', precision: null, verifyHashes: true }), {
    code: 'invalid_model',
    message: '/nowhere/config.json: the file is missing from the model folder.',
  })
})

t.test('a changed file is found by its sha256, where it is asked for', async t => {
  const { read, edit } = copy(t, 'tiny')
  edit('generation_config.json', json => ({ ...json, note: 'changed' }))
  await t.rejects(read({ verifyHashes: true }), {
    code: 'invalid_model',
    message: /generation_config.json: its sha256 is/,
  })
  t.ok(await read())
  edit('cropvlm.json', json => ({ ...json, sha256: {} }))
  await t.rejects(read({ verifyHashes: true }), { code: 'invalid_model', message: /does not name onnx\// })
})

t.test('what cannot be run is refused with the reason', async t => {
  const vision = (config: Json) => config.vision_config as Json
  const refusals: [string, (json: Json) => Json, RegExp][] = [
    ['config.json', json => ({ ...json, model_type: 'llava' }), /only "idefics3" and "smolvlm"/],
    ['config.json', json => ({ ...json, vision_config: { ...vision(json), image_size: 32 } }), /tiles are 64 pixels/],
    ['config.json', json => ({ ...json, scale_factor: 0 }), /`scale_factor` is 0, but has to be a whole number from 1/],
    ['processor_config.json', json => ({ ...json, image_seq_len: 64 }), /make 16 tokens a tile/],
    ['preprocessor_config.json', json => ({ ...json, resample: 3 }), /only 1 \(Lanczos\)/],
    ['preprocessor_config.json', json => ({ ...json, do_normalize: false }), /`do_normalize` is false/],
    ['preprocessor_config.json', json => ({ ...json, image_mean: [0.5] }), /`image_mean` has to be three numbers/],
    ['tokenizer.json', json => ({ ...json, added_tokens: [] }), /there is no special token/],
    ['generation_config.json', json => ({ ...json, eos_token_id: 'end' }), /`eos_token_id`/],
    ['cropvlm.json', json => ({ ...json, format: 1 }), /`format` is 1/],
    ['cropvlm.json', json => ({ ...json, prompt_contract: 7 }), /`prompt_contract` is 7, but has to be the number 1/],
    ['cropvlm.json', json => ({ ...json, resolutions: [] }), /`resolutions`/],
    [
      'cropvlm.json',
      json => ({ ...json, attention: { layers: [] } }),
      /`attention.layers` is \[\], but has to be a list of layers/,
    ],
    [
      'cropvlm.json',
      json => ({ ...json, attention: [0.5] }),
      /`attention` is \[0.5\], but has to be an object with `layers`/,
    ],
    ['cropvlm.json', json => ({ ...json, default_resolution: 65 }), /`default_resolution`/],
  ]
  for (const [file, change, message] of refusals) {
    const { read, edit } = copy(t, 'tiny')
    edit(file, change)
    await t.rejects(read(), { code: 'invalid_model', message }, String(message))
  }
})
