import t from 'tap'
import { zoomHeader, zoomOptions } from '../../src/proxy/options.js'

const SETTINGS = { zoom: 'auto', zoomMaxImages: 2 } as const

t.test('header before body before settings', async t => {
  const defaults = { zoom: 'auto', resolution: null, expand: 1, maxImages: 2 }
  t.strictSame(zoomOptions(null, undefined, SETTINGS), defaults)
  t.strictSame(zoomOptions(null, null, SETTINGS), defaults)
  t.strictSame(zoomOptions(null, { zoom: null, expand: 1.5 }, SETTINGS), { ...defaults, expand: 1.5 })
  t.equal(zoomOptions(null, { zoom: 'off' }, SETTINGS).zoom, 'off')
  t.strictSame(zoomOptions('always', { zoom: 'off', max_images: 3, resolution: 512 }, SETTINGS), {
    zoom: 'always',
    resolution: 512,
    expand: 1,
    maxImages: 3,
  })
})

t.test('the header', async t => {
  t.equal(zoomHeader(undefined), null)
  t.equal(zoomHeader(' Off '), 'off')
  t.throws(() => zoomHeader(['auto', 'off']), { code: 'invalid_option', param: 'x-cropvlm-zoom' })
})
