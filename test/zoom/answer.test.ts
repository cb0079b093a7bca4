import t from 'tap'
import { CropVlmError } from '../../src/errors.js'
import { PROFILES } from '../../src/target/profiles.js'
import type { Target, TargetRequest } from '../../src/target/target.js'
import { type AskTarget, answerZoomed, isSameAnswer, UnansweredError } from '../../src/zoom/answer.js'
import type { ZoomObserver } from '../../src/zoom/zoom.js'
import { scriptedCropper } from '../support/fakes/cropper.js'
import { jobsOf, scriptedEngine } from '../support/fakes/scripted-engine.js'

function target(answer: (request: TargetRequest) => string): Target {
  return {
    name: 'scripted',
    model: 'm',
    kind: 'vlm',
    fullLongestEdge: 448,
    cropLongestEdge: null,
    enlarges: false,
    warnings: [],
    local: false,
    breaker: null,
    answer: async request => ({
      text: answer(request),
      reasoning: null,
      refusal: null,
      finishReason: 'stop',
      usage: { promptTokens: 7, completionTokens: 1 },
    }),
  }
}

function ask(changes: Partial<AskTarget>): AskTarget {
  const { signal } = new AbortController()
  return {
    image: new Uint8Array([1]),
    question: 'WHO?',
    resolution: null,
    expand: 1,
    gate: { mode: 'always', minConfidence: 0, maxArea: 0.9 },
    pictures: { crop: null, overlay: null },
    target: target(() => 'yes'),
    mode: 'zoom',
    compare: false,
    maxTokens: 5,
    temperature: 0,
    signal,
    deadline: Date.now() + 60_000,
    ...changes,
  }
}

function zoom() {
  const told: unknown[][] = []
  const observer: ZoomObserver = {
    onFound: () => told.push(['found']),
    onTargetCall: (name, outcome, _ms, usage) => told.push([name, outcome, usage?.promptTokens]),
    onAnswered: () => told.push(['answered']),
  }
  const engine = scriptedEngine()
  return { zoom: { engine, cropper: scriptedCropper(engine), observer }, told, engine }
}

/** Which pictures a call was given. */
const seen = ({ full, crop }: TargetRequest) =>
  [full, crop].map(picture => Buffer.from(picture?.bytes ?? []).toString())

t.test('the question as it was sent, the full image and the crop', async t => {
  const calls: TargetRequest[] = []
  const made = zoom()
  const request = ask({
    target: target(call => {
      calls.push(call)
      return 'Dakota'
    }),
  })
  const { found, answer, compare, targetMs } = await answerZoomed(made.zoom, request)
  t.match(answer, { text: 'Dakota', usage: { promptTokens: 7 } })
  t.equal(compare, null)
  t.ok(targetMs >= 0)
  t.match(found.regions, [{ box: [25, 50, 75, 100] }])
  t.match(calls, [{ question: 'WHO?', maxTokens: 5, temperature: 0 }])
  t.same(calls.map(seen), [['full', 'region']])
  t.same(made.told, [['found'], ['scripted', 'ok', 7], ['answered']])
})

t.test('a target that fails leaves the region, and says how it failed', async t => {
  for (const [code, outcome] of [
    ['target_failed', 'failed'],
    ['target_timeout', 'timeout'],
    ['deadline_exceeded', 'timeout'],
    ['request_aborted', 'aborted'],
  ] as const) {
    const made = zoom()
    const failing = target(() => {
      throw new CropVlmError(code, 'no')
    })
    const error = await answerZoomed(made.zoom, ask({ target: failing })).catch(thrown => thrown)
    t.type(error, UnansweredError)
    t.match(error, { cause: { code }, found: { regions: [{ decision: 'zoomed' }] } })
    t.same(made.told.at(-1), ['scripted', outcome, undefined])
  }
})

t.test('with compare both are asked; the first failure gives up the other', async t => {
  const calls: TargetRequest[] = []
  const both = target(call => {
    calls.push(call)
    return call.crop ? 'Yes.' : 'yes'
  })
  const { answer, compare } = await answerZoomed(zoom().zoom, ask({ target: both, compare: true }))
  t.same([answer.text, compare?.text], ['Yes.', 'yes'])
  t.same(calls.map(seen), [
    ['full', 'region'],
    ['full', ''],
  ])
  const signals: AbortSignal[] = []
  const failing: Target = {
    ...both,
    answer(call) {
      signals.push(call.signal)
      return call.crop ? Promise.reject(new CropVlmError('target_failed', 'no')) : new Promise(() => {})
    },
  }
  await t.rejects(answerZoomed(zoom().zoom, ask({ target: failing, compare: true })), { name: 'UnansweredError' })
  t.ok(signals.every(({ aborted }) => aborted))
})

/** An endpoint's target: its profile says how its pictures are made. */
function endpoint(answer: (request: TargetRequest) => string): Target {
  const profile = { ...PROFILES['qwen3-vl'], profile: 'qwen3-vl' as const }
  return { ...target(answer), cropLongestEdge: 1152, enlarges: true, profile }
}

t.test("an endpoint's pictures are within its limits, and its crop is enlarged", async t => {
  const made = zoom()
  await answerZoomed(made.zoom, ask({ target: endpoint(() => 'yes') }))
  const limits = { minSide: 32, maxAspect: 200 }
  t.match(jobsOf(made.engine, 'render')[1]?.pictures, [
    { show: 'whole', format: 'jpeg', longestEdge: 448, limits },
    { show: 'region', format: 'jpeg', longestEdge: 1152, limits, enlarge: 8 },
  ])
  t.notOk('enlarge' in (jobsOf(made.engine, 'render')[1]?.pictures[0] ?? {}), 'the full image is not')
})

t.test('a request may want other edges', async t => {
  const made = zoom()
  const edges = { full: 'original', crop: 300, compare: null } as const
  await answerZoomed(made.zoom, ask({ target: endpoint(() => 'yes'), edges, compare: true }))
  t.match(jobsOf(made.engine, 'render')[1]?.pictures, [{ longestEdge: null }, { longestEdge: 300 }])
})

t.test('the full image that is compared with has an edge of its own', async t => {
  const shown = async (mode: AskTarget['mode'], edges: NonNullable<AskTarget['edges']>) => {
    const made = zoom()
    const calls: TargetRequest[] = []
    const asked = endpoint(call => {
      calls.push(call)
      return 'yes'
    })
    await answerZoomed(made.zoom, ask({ target: asked, mode, compare: true, edges }))
    const pictures = jobsOf(made.engine, 'render')[1]?.pictures.map(({ show, longestEdge }) => [show, longestEdge])
    return { pictures, calls: calls.map(seen) }
  }
  const both = [
    ['full', 'region'],
    ['full', ''],
  ]
  t.same(await shown('zoom', { full: 448, crop: null, compare: 96 }), {
    pictures: [
      ['whole', 448],
      ['region', 1152],
      ['whole', 96],
    ],
    calls: both,
  })
  t.same((await shown('zoom', { full: 448, crop: null, compare: 448 })).pictures, [
    ['whole', 448],
    ['region', 1152],
  ])
  const alone = await shown('full', { full: null, crop: null, compare: 'original' })
  t.same(alone, {
    pictures: [
      ['whole', 448],
      ['whole', null],
    ],
    calls: [
      ['full', ''],
      ['full', ''],
    ],
  })
  t.same((await shown('crop', { full: null, crop: null, compare: 96 })).pictures, [
    ['region', 1152],
    ['whole', 96],
  ])
})

t.test('auto leaves out a crop that its edge would not enlarge', async t => {
  const gate = { mode: 'auto', minConfidence: 0, maxArea: 0.9 } as const
  // the image has 1600x1200 pixels, the box 800x600
  const decision = async (full: 'original' | number, crop: 'original' | number) => {
    const edges = { full, crop, compare: null }
    const { found } = await answerZoomed(zoom().zoom, ask({ target: endpoint(() => 'yes'), gate, edges }))
    return found.regions[0]?.reason ?? null
  }
  t.equal(await decision('original', 800), 'sees_all')
  t.equal(await decision(1600, 'original'), 'sees_all')
  t.equal(await decision('original', 801), null)
  t.equal(await decision(1599, 800), null)
})

t.test('answers are the same but for case, outer spaces and one full stop', t => {
  t.ok(isSameAnswer(' Yes.', 'yes'))
  t.notOk(isSameAnswer('yes..', 'yes'))
  t.notOk(isSameAnswer('yes', 'no'))
  t.end()
})
