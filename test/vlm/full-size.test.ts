import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { findBox } from '../../src/engine/child/find-boxes.js'
import { loadModel } from '../../src/vlm/model.js'
import { plainImage } from '../../src/vlm/request.js'
import { pattern } from '../support/images/patterns.js'

/**
 * SmolVLM-256M's architecture with random weights: 1 GB, so it is made by hand and not bundled:
 * `trainer/.venv/bin/cropvlm-train fixture --full-size --out /tmp/cropvlm-fixture`
 */
const DIR = process.env.CROPVLM_FULL_SIZE ?? join(tmpdir(), 'cropvlm-fixture', 'full-size')
const skip =
  !existsSync(`${DIR}/config.json`) &&
  `${DIR} is absent; make it with \`cropvlm-train fixture --full-size\` or name it in CROPVLM_FULL_SIZE`

// 17 tiles take half a minute on two cores, and the machine may be busy.
t.setTimeout(1_200_000)

t.test('a full-size folder loads and answers at every resolution', { skip }, async t => {
  const model = await loadModel({
    dir: DIR,
    role: 'cropper',
    precision: null,
    executionProvider: 'auto',
    threads: null,
    verifyHashes: true,
    graphCache: null,
    prefixCacheBytes: 0,
  })
  t.same(model.info.resolutions, [512, 1024, 2048])
  const image = plainImage(pattern('strokes', 1024, 1024))
  for (const [resolution, tiles] of [
    [512, 1],
    [1024, 5],
    [2048, 17],
  ] as const) {
    const { signal } = new AbortController()
    const found = await findBox(model, { image, question: 'What is the total?', resolution, signal }, true)
    const [x1, y1, x2, y2] = found.box
    t.match(found, { resolution, tiles, decision: 'fallback', reason: 'not_a_cropper' })
    t.ok(0 <= x1 && x1 < x2 && x2 <= 100 && 0 <= y1 && y1 < y2 && y2 <= 100, found.raw)
    t.comment(`${resolution}: ${found.raw} ${JSON.stringify(found.timings)}`)
  }
})
