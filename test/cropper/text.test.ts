import t from 'tap'
import { textCropper } from '../../src/cropper/text.js'
import { jobsOf, type Script, scriptedEngine } from '../support/fakes/scripted-engine.js'

const { signal } = new AbortController()
const IMAGE = new Uint8Array([1])
const ask = (question: string, changes = {}) => ({
  image: IMAGE,
  question,
  resolution: null,
  keepPixels: true,
  signal,
  deadline: Date.now() + 1000,
  ...changes,
})

function make(script: Script = {}) {
  const engine = scriptedEngine(script)
  return { engine, cropper: textCropper(engine) }
}

t.test('the line that the question is about', async t => {
  const { engine, cropper } = make()
  const [outcome] = await cropper.find([ask('What is the width?')])
  t.match(outcome, {
    status: 'fulfilled',
    value: {
      decision: 'zoomed',
      reason: null,
      raw: '120 mm',
      image: { width: 1600, height: 1200 },
      model: { id: 'pp-ocr-v4', resolution: null, tiles: null },
      timings: { queue: 0.3, decode: 9, preprocess: 4, detect: 20, recognize: 11 },
    },
  })
  t.same(jobsOf(engine, 'read'), [{ kind: 'read', image: IMAGE, madeBy: 'caller', keepPixels: true }])
  t.match(cropper.info, { name: 'text', resolutions: [] })
})

t.test('questions about one image are one job, whose time counts once', async t => {
  const { engine, cropper } = make()
  const outcomes = await cropper.find([
    ask('What is the width?'),
    ask('What is the name?'),
    ask('What is the name?', { image: new Uint8Array([2]) }),
  ])
  t.equal(jobsOf(engine, 'read').length, 2)
  const [first, second, third] = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : null))
  t.equal(first?.timings, second?.timings)
  t.not(first?.timings, third?.timings)
  t.equal(second?.raw, 'Dakota Digital')
})

t.test('no text, nothing that fits, and a failure', async t => {
  const none = make({ read: () => ({ ...page(), lines: [] }) })
  t.match(await none.cropper.find([ask('What is the width?')]), [
    { value: { box: [0, 0, 100, 100], decision: 'fallback', reason: 'no_text', confidence: 0, raw: '' } },
  ])
  t.match(await make().cropper.find([ask('Is it raining?')]), [{ value: { decision: 'fallback', reason: 'no_match' } }])
  const failing = make({
    read() {
      throw new Error('down')
    },
  })
  t.match(await failing.cropper.find([ask('a'), ask('b')]), [
    { status: 'rejected', reason: { message: 'down' } },
    { status: 'rejected' },
  ])
})

function page() {
  return {
    kind: 'read' as const,
    lines: [],
    image: { width: 10, height: 10 },
    reused: false,
    timings: { queue: 0, decode: 0, preprocess: 0, detect: 0, recognize: 0 },
  }
}
