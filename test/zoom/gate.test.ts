import t from 'tap'
import type { Box } from '../../src/contract/box.js'
import { type Gate, skipReason } from '../../src/zoom/gate.js'

const AUTO: Gate = { mode: 'auto', minConfidence: 0, maxArea: 0.9 }
const IMAGE = { width: 1000, height: 400 }
const SMALL: Box = [10, 10, 20, 20]
const reason = (
  box: Box,
  confidence: number | null,
  changes: Partial<Gate> = {},
  view = null as Parameters<typeof skipReason>[3],
) => skipReason({ box, confidence }, IMAGE, { ...AUTO, ...changes }, view)

t.test('no rule, no reason', async t => {
  t.equal(reason(SMALL, 0.01), null, 'no confidence is asked for by default')
})

t.test('low_confidence: below the least, but not where the cropper does not know', async t => {
  t.equal(reason(SMALL, 0.49, { minConfidence: 0.5 }), 'low_confidence')
  t.equal(reason(SMALL, 0.5, { minConfidence: 0.5 }), null)
  t.equal(reason(SMALL, null, { minConfidence: 0.5 }), null)
})

t.test('whole_image: more than the share', async t => {
  t.equal(reason([0, 0, 100, 91], 1), 'whole_image')
  t.equal(reason([0, 0, 100, 90], 1), null)
  t.equal(reason([0, 0, 50, 100], 1, { maxArea: 0.4 }), 'whole_image')
})

t.test('sees_all: every pixel reaches the target, and the crop would not be enlarged', async t => {
  t.equal(reason(SMALL, 1, {}, { fullEdge: 1000, enlarges: false }), 'sees_all')
  t.equal(reason(SMALL, 1, {}, { fullEdge: null, enlarges: false }), 'sees_all')
  t.equal(reason(SMALL, 1, {}, { fullEdge: 999, enlarges: false }), null)
  t.equal(reason(SMALL, 1, {}, { fullEdge: null, enlarges: true }), null)
})

t.test('sees_all: a crop that its own edge does not enlarge shows nothing new', async t => {
  // the box is 100x40 pixels
  const seesAll = { fullEdge: 1000, enlarges: true }
  t.equal(reason(SMALL, 1, {}, { ...seesAll, cropEdge: 101 }), null)
  t.equal(reason(SMALL, 1, {}, { ...seesAll, cropEdge: 100 }), 'sees_all')
  t.equal(reason(SMALL, 1, {}, { ...seesAll, cropEdge: 100, fullEdge: 999 }), null)
})
