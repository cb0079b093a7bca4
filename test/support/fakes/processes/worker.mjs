/**
 * An engine process without models, for the tests of the parent side: what it does is written in the question (or,
 * for the start, in the cropper's folder). The process, its death and the channel are real. Plain JavaScript, so that
 * a test that starts it many times does not wait for a compiler each time.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'

const aborted = new Set()

process.on('disconnect', () => process.exit(0))
process.on('message', request => {
  if (request.type === 'start') start(request.options.cropper.dir)
  else if (request.type === 'stop') process.exit(0)
  else if (request.type === 'ping') process.send({ type: 'pong', memory: { heap: 2e6, external: 1e6 } })
  else if (request.type === 'abort') aborted.add(request.id)
  else for (const { id, job } of request.jobs) work(id, job.questions?.[0] ?? job.text, request.jobs.length)
})

/**
 * `ready`; `cuda`, the same on a GPU; `fail`; `die`; `never`; `once FILE`: the first is ready and writes the file, the
 * others die while it is there; `grow`: it says a step and takes memory without end; `trial`: the same while it tries a template;
 * `stuck`: it says a step and does nothing; or a file: ready while it exists, dies without it.
 */
function start(script) {
  console.log(JSON.stringify({ level: 'info', msg: 'scripted engine starts' }))
  const failure = { code: 'invalid_model', message: 'model.onnx is missing' }
  if (script === 'fail') process.send({ type: 'failed', error: failure }, () => process.exit(1))
  else if (script === 'cuda')
    process.send({ type: 'ready', info: { ...info(), executionProvider: 'cuda' }, longestRunMs: 0 })
  else if (script.startsWith('once ')) once(script.slice(5))
  else if (script === 'ready' || existsSync(script)) process.send({ type: 'ready', info: info(), longestRunMs: 0 })
  else if (script === 'trial') {
    process.send({
      type: 'step',
      doing: 'trying the chat template of',
      file: '/models/m/chat_template.json',
      isTrial: true,
    })
    grow()
  } else if (script === 'grow' || script === 'stuck') {
    process.send({ type: 'step', doing: 'hashing', file: '/models/m/other.onnx' })
    process.send({ type: 'step', doing: 'opening', file: '/models/m/model.onnx' }, () => script === 'grow' && grow())
  } else if (script !== 'never') process.exit(7)
}

function once(file) {
  if (existsSync(file)) process.exit(7)
  writeFileSync(file, '')
  process.send({ type: 'ready', info: info(), longestRunMs: 0 })
}

/** Takes memory without end, and reads no message meanwhile. */
function grow() {
  const taken = []
  for (;;) taken.push(Buffer.alloc(8e6, 1))
}

function work(id, question, batch) {
  const [script, argument] = question.split(' ')
  const answer = () => process.send({ type: 'result', id, result: result(script, batch) })
  const fail = error => process.send({ type: 'error', id, error })
  const untilAborted = () => {
    if (aborted.has(id)) fail({ code: 'internal_error', message: 'aborted' })
    else setTimeout(untilAborted, 5)
  }
  if (script === 'crash') process.exit(9)
  else if (script === 'remove') {
    rmSync(argument)
    process.exit(9)
  } else if (script === 'wait') untilAborted()
  else if (script === 'slow') setTimeout(answer, Number(argument))
  else if (script === 'grow') grow()
  else if (script === 'hang') for (;;);
  else if (script === 'nan') fail({ code: 'model_failed', message: 'no numbers', details: { reason: 'no_numbers' } })
  else if (script === 'template') fail({ code: 'model_failed', message: 'too long' })
  else if (script === 'broken') fail({ code: 'internal_error', message: 'no memory' })
  else if (script === 'error') fail({ code: 'image_undecodable', message: 'bad image', param: 'image' })
  else answer()
}

function info() {
  const { pid } = process
  return { models: [], executionProvider: 'cpu', executionProviderReason: 'scripted', pid }
}

function result(raw, batch) {
  const cost = { generatedTokens: 15, runs: 8, nonGreedyTokens: 0, batch, reused: false }
  return {
    kind: 'locate',
    boxes: [{ box: [0, 0, 50, 50], decision: 'zoomed', reason: null, confidence: 0.5, raw, cost }],
    image: { width: 10, height: 10 },
    model: { id: String(process.pid), resolution: 128, tiles: 1 },
    timings: { queue: 0, decode: 1, preprocess: 1, vision: 1, prefill: 1, generate: 1, crop: 0 },
  }
}
