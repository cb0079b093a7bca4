import t from 'tap'
import { type ImageState, PrefixCache } from '../../../src/vlm/decoding/prefix-cache.js'

const grid = { rows: 0, cols: 0, tiles: 1, scaled: { width: 8, height: 8 }, whole: { width: 8, height: 8 } }
const image = (bytes: number): ImageState => ({
  size: { width: 8, height: 8 },
  grid,
  processed: null,
  features: null,
  prefix: { length: 1, parts: new Map([['past_key_values.0.key', new Float32Array(bytes / 4)]]) },
})

t.test('holds at most its bytes, and lets go of what was not asked for longest', t => {
  const cache = new PrefixCache(1000)
  cache.set('a', image(400))
  cache.set('b', image(400))
  t.ok(cache.get('a'))
  cache.set('c', image(400))
  t.notOk(cache.get('b'))
  t.ok(cache.get('a') && cache.get('c'))
  cache.set('d', image(200))
  t.ok(cache.get('a') && cache.get('c') && cache.get('d'), 'exactly full')
  t.end()
})

t.test('an image larger than the cache is not kept, and pushes nothing out', t => {
  const cache = new PrefixCache(1000)
  cache.set('a', image(400))
  cache.set('huge', image(1200))
  t.notOk(cache.get('huge'))
  t.ok(cache.get('a'))
  t.end()
})

t.test('features count too; 0 bytes keep nothing', t => {
  const cache = new PrefixCache(1000)
  cache.set('hub', { ...image(4), prefix: null, features: { data: new Float32Array(200), dim: 4 } })
  cache.set('a', image(200))
  t.ok(cache.get('hub') && cache.get('a'), 'exactly full')
  cache.set('b', image(4))
  t.notOk(cache.get('hub'), 'its 800 bytes had to go')
  const none = new PrefixCache(0)
  none.set('a', image(4))
  t.notOk(none.get('a'))
  t.end()
})
