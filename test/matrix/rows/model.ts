/** Rows 37 to 40: what a model may write, or not. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { ROOT } from '../../../bench/root.js'
import { parseBox } from '../../../src/contract/box.js'
import { changedModel, fillWithNaN, modelThatFearsLetter } from '../../support/model-folders/changed.js'
import { seeded } from '../../support/scripted.js'
import type { Row } from '../row.js'
import { page, pageOf } from '../world/pictures/page.js'
import { engineProcesses, isAlive } from '../world/proc.js'
import { until } from '../world/until.js'
import { each, type World } from '../world/world.js'

const MINI = join(ROOT, 'models/cropvlm-mini')
const DECODER = 'decoder_model_merged.onnx'
const FREE = { CONSTRAINED_DECODING: 'off' }

export const MODEL: readonly Row[] = [
  {
    number: 37,
    fault: 'model emits no box',
    behaviour: 'the whole image, `decision` is `fallback` and `reason` says why',
    run: noBox,
  },
  {
    number: 38,
    fault: 'x2 <= x1, > 100, zero area',
    behaviour: 'never with the grammar; without it the whole image, `fallback` and its `reason`',
    run: badBoxes,
  },
  {
    number: 39,
    fault: 'never ends',
    behaviour: 'a box and an answer end at their most tokens',
    run: neverEnds,
  },
  {
    number: 40,
    ends: 'engine',
    fault: 'NaN logits',
    behaviour:
      'the service does not start; where only some input gives them, 500 `model_failed`, and a new engine process after three in a row',
    run: notANumber,
  },
]

/** What a service needs for a changed copy: its fp32 graphs, and none of those that were optimised before. */
function settingsFor(folder: string): Record<string, string> {
  return { CROPPER_MODEL: folder, MODEL_PRECISION: 'fp32', GRAPH_CACHE_DIR: 'off' }
}

/** A cropper that finds every token equally likely, so that the first of the vocabulary is written for ever. */
function indifferent(world: World): string {
  return changedModel(MINI, world.folder(), DECODER, values => values.fill(0))
}

async function noBox(world: World): Promise<string> {
  const service = await world.start({ ...settingsFor(indifferent(world)), ...FREE })
  const reply = await service.crop(await page())
  const seen = world.answered(reply)
  assert.deepEqual(reply.body.bbox, [0, 0, 100, 100])
  assert.equal(reply.body.decision, 'fallback')
  assert.equal(reply.body.reason, 'no_box')
  return `${seen}, fallback: no_box`
}

async function badBoxes(world: World): Promise<string> {
  const random = seeded(38)
  const folder = changedModel(MINI, world.folder(), DECODER, values => {
    for (let at = 0; at + 4 <= values.length; at += 4) values.writeFloatLE((random() - 0.5) * 0.6, at)
  })
  const held = await world.start(settingsFor(folder))
  const decisions = new Map<string, number>()
  for (let i = 0; i < 60; i++) {
    const picture = await pageOf(100 + 7 * i, 90)
      .jpeg()
      .toBuffer()
    const reply = await held.crop(picture, {}, { question: `Where is number ${i}?` })
    world.answered(reply)
    const { decision = '', reason, bbox } = reply.body
    // a model that would not have written its box by itself is told, with the whole image
    if (decision === 'fallback') assert.deepEqual([reason, bbox], ['not_a_cropper', [0, 0, 100, 100]])
    decisions.set(decision, (decisions.get(decision) ?? 0) + 1)
  }
  const free = await world.start({ ...settingsFor(folder), ...FREE })
  const reply = await free.crop(await page())
  world.answered(reply)
  assert.equal(reply.body.decision, 'fallback', 'noise is no box')
  assert.ok(reply.body.reason)
  const counts = [...decisions].map(([name, count]) => `${count} ${name}`).join(', ')
  for (const text of NO_BOXES) assert.ok('problem' in parseBox(text), `${text} is read as a box`)
  return `noise, 60 pictures: ${counts}; freely: ${reply.body.reason}; ${NO_BOXES.length} texts are no box`
}

/** What a model may write that is no box. */
const NO_BOXES = [
  ' [50, 1, 20, 9].',
  ' [1, 1, 101, 9].',
  ' [5, 5, 5, 9].',
  ' [1, 2, 3].',
  ' [-1, 2, 3, 4].',
  ' [1e1, 2, 30, 4].',
  '',
]

async function neverEnds(world: World): Promise<string> {
  const folder = indifferent(world)
  const service = await world.start({ ...settingsFor(folder), ...FREE, LOCAL_TARGET_MODEL: folder })
  const [engine] = engineProcesses(service.pid)
  const box = await service.crop(await page())
  const answer = await service.crop(await page(), { max_tokens: 64 }, { path: '/answer' })
  assert.equal(answer.status, 200, answer.text.slice(0, 200))
  assert.match(answer.text, /"finish_reason":"length"/)
  world.within(10_000, answer.ms, 'the answer')
  assert.ok(isAlive(engine ?? 0), 'the engine process is gone')
  return `box: ${world.answered(box, 10_000)}; answer of 64 tokens in ${Math.round(answer.ms)} ms`
}

async function notANumber(world: World): Promise<string> {
  const always = changedModel(MINI, world.folder(), DECODER, values => fillWithNaN(values))
  const doomed = await world.startDoomed(settingsFor(always))
  assert.equal(await doomed.exit, 1)
  assert.match(String(doomed.lines.at(-1)?.msg), /NaN/)
  const letter = '~'
  const service = await world.start(settingsFor(modelThatFearsLetter(MINI, world.folder(), letter)))
  const [engine = 0] = engineProcesses(service.pid)
  const image = await page()
  const ask = (question: string) => service.crop(image, {}, { question })
  const seen = await each({ once: 1, 'after a good one': 2 }, async () => {
    const failed = world.refused(await ask(`What is ${letter}?`), '500 model_failed', 5000)
    world.answered(await ask('What is the total?'))
    assert.ok(isAlive(engine), 'the engine process was replaced too early')
    return failed
  })
  for (let i = 0; i < 3; i++) world.refused(await ask(`${i} ${letter}?`), '500 model_failed', 5000)
  assert.ok((await until(() => !isAlive(engine), 10_000)) !== null, 'the engine process was not replaced')
  const back = await until(async () => (await ask('What is the total?')).status === 200, 20_000)
  assert.ok(back !== null, 'no engine process took its place')
  return `always: exit 1, "${String(doomed.lines.at(-1)?.msg).slice(0, 80)}"; for one letter ${seen}; replaced after three in a row`
}
