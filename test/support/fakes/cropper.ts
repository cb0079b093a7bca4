import type { Cropper, FindRequest, Found } from '../../../src/cropper/cropper.js'
import type { Engine } from '../../../src/engine/engine.js'

type Script = (request: FindRequest) => Partial<Found>

/**
 * A cropper that loads no model: what it finds is written by the test. As one behind a network would, it has the
 * engine shrink the picture first, and learns the image's size from that.
 */
export function scriptedCropper(engine: Engine, script: Script = () => ({})): Cropper {
  return {
    info: { name: 'scripted', resolutions: null, warnings: [] },
    async find(requests) {
      return await Promise.allSettled(requests.map(request => find(engine, request, script)))
    },
  }
}

async function find(engine: Engine, request: FindRequest, script: Script): Promise<Found> {
  const { image, signal, deadline } = request
  const seen = { show: 'whole', region: [0, 0, 100, 100], format: 'jpeg', quality: 90, longestEdge: 64 } as const
  const { image: size, timings } = await engine.run(
    { kind: 'render', image, pictures: [{ ...seen, packing: 'small' }] },
    { signal, deadline },
  )
  return {
    box: [25, 50, 75, 100],
    decision: 'zoomed',
    reason: null,
    confidence: 0.5,
    raw: request.question,
    image: size,
    model: { id: 'scripted', resolution: 64, tiles: 1 },
    timings,
    ...script(request),
  }
}
