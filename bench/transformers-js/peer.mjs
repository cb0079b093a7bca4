/**
 * transformers.js as a peer of `npm run bench`: one model in one process that answers over stdin and stdout, as
 * `trainer/bench/peer.py` does (the protocol is told there).
 *
 *   node peer.mjs FOLDER fp32|q8 [cpu|cuda]
 *
 * JavaScript, because the package is installed here alone and the type check of the repository must do without it.
 */
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { AutoProcessor, env, Idefics3ForConditionalGeneration, RawImage } from '@huggingface/transformers'

const [folder = '', dtype = 'fp32', device = 'cpu'] = process.argv.slice(2)
env.allowRemoteModels = false
env.localModelPath = dirname(folder)

const name = basename(folder)
const processor = await AutoProcessor.from_pretrained(name)
const model = await Idefics3ForConditionalGeneration.from_pretrained(name, { dtype, device })
const clock = { vision: 0, prefilled: 0 }
clockSession('vision_encoder', (start, end) => {
  clock.vision += end - start
})
clockSession('decoder_model_merged', (_start, end) => {
  clock.prefilled ||= end
})

const { version } = JSON.parse(await readFile(new URL('package.json', packageRoot()), 'utf8'))
say({ ready: true, version: `transformers.js ${version}` })
for await (const line of createInterface({ input: process.stdin })) say(await ask(JSON.parse(line)))

/** One box's worth of tokens: exactly `new_tokens`, whatever the (random) model would have said. */
async function ask({ image, question, resolution, new_tokens: newTokens }) {
  Object.assign(clock, { vision: 0, prefilled: 0 })
  const start = performance.now()
  const picture = await RawImage.read(image)
  const decoded = performance.now()
  const text = `${capitalize(question)}\nOutline the region in the image that would help answer this question.`
  const content = [{ type: 'image' }, { type: 'text', text }]
  const prompt = processor.apply_chat_template([{ role: 'user', content }], { add_generation_prompt: true })
  processor.image_processor.size = { longest_edge: resolution }
  const inputs = await processor(prompt, [picture])
  const ready = performance.now()
  const made = await model.generate({
    ...inputs,
    do_sample: false,
    min_new_tokens: newTokens,
    max_new_tokens: newTokens,
  })
  const promptTokens = inputs.input_ids.dims.at(-1)
  processor.batch_decode(made.slice(null, [promptTokens, null]), { skip_special_tokens: true })
  const end = performance.now()
  return {
    total_ms: end - start,
    stages: {
      decode: decoded - start,
      preprocess: ready - decoded,
      vision: clock.vision,
      prefill: clock.prefilled - ready - clock.vision,
      generate: end - clock.prefilled,
    },
    tokens: made.dims.at(-1) - promptTokens,
    prompt_tokens: promptTokens,
    tiles: inputs.pixel_values.dims[1],
  }
}

function clockSession(session, done) {
  const inner = model.sessions[session]
  const run = inner.run.bind(inner)
  inner.run = async (...args) => {
    const start = performance.now()
    const outputs = await run(...args)
    done(start, performance.now())
    return outputs
  }
}

/** As Python's `str.capitalize`, which the contract has. */
function capitalize(question) {
  return question.charAt(0).toUpperCase() + question.slice(1).toLowerCase()
}

function packageRoot() {
  return new URL('../', import.meta.resolve('@huggingface/transformers'))
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
