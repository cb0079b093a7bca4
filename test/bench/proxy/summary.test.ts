import t from 'tap'
import type { Asked } from '../../../bench/proxy/client.js'
import { summariseImages, summariseStreams, summariseWays } from '../../../bench/proxy/summary.js'

t.test('ways without an image', async t => {
  const direct = {
    way: 'direct',
    times: [
      [1, 1, 3],
      [2, 2, 8],
      [1, 1, 2],
    ],
    rates: [900, 1000, 1100],
    cpu: [],
  } as const
  const nginx = {
    way: 'nginx',
    times: [
      [2, 2, 9],
      [3, 3, 10],
      [1, 1, 3],
    ],
    rates: [500, 400, 450],
    cpu: [30, 20, 40],
  } as const
  t.same(summariseWays([direct, nginx]), [
    { way: 'direct', p50_ms: 1, p99_ms: 3, added_p50_ms: null, added_p99_ms: null, requests_per_s: 1000, cpu_us: null },
    // of the rounds 1, 1, 0 and 6, 2, 1 above direct
    { way: 'nginx', p50_ms: 2, p99_ms: 9, added_p50_ms: 1, added_p99_ms: 2, requests_per_s: 450, cpu_us: 30 },
  ])
  t.throws(() => summariseWays([nginx]), /direct/)
})

t.test('requests with an image', async t => {
  const asked = (ms: number, zoom_ms: number | null = null, decision: string | null = null): Asked => ({
    ms,
    zoom_ms,
    decision,
    body_bytes: 20 * 1024,
  })
  const direct = [asked(1), asked(2), asked(3)]
  const first = [asked(50, 45, 'zoomed'), asked(62, 55, 'zoomed'), asked(70, 60, 'fallback')]
  const again = [asked(3, 0.1), asked(4, 0.2), asked(6, 0.3)]
  t.same(summariseImages({ direct, nginx: null, first, again }), {
    images: 3,
    zoomed: 2,
    body_kb: 20,
    direct_ms: 2,
    nginx_ms: null,
    first_ms: 62,
    zoom_ms: 55,
    beyond_ms: 5,
    again_ms: 4,
    again_zoom_ms: 0.2,
    again_added_ms: 2,
  })
  t.equal(summariseImages({ direct, nginx: [asked(2), asked(3), asked(9)], first, again }).nginx_ms, 3)
})

t.test('streams', async t => {
  const rounds = [
    { first: [1, 3], all: [1, 1, 3, 9], events: [2, 2] },
    { first: [2, 4], all: [2, 2, 4], events: [2, 1] },
  ]
  t.same(summariseStreams('cropvlm', rounds, 2, { rss_begin_mb: 100, rss_end_mb: 101 }), {
    way: 'cropvlm',
    clients: 2,
    events: 2,
    broken: 1,
    first_p50_ms: 1.5,
    first_p99_ms: 3.5,
    event_p50_ms: 1.5,
    event_p99_ms: 6.5,
    rss_begin_mb: 100,
    rss_end_mb: 101,
  })
})
