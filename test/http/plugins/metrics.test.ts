import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { located } from '../../support/fakes/scripted-engine.js'

async function scrape(app: FastifyInstance): Promise<Map<string, number>> {
  const response = await app.inject({ url: '/metrics' })
  const lines = response.body.split('\n').filter(line => line && !line.startsWith('#'))
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

const ASK = { image: IMAGE, question: 'q' }

t.test('names, labels and values', async t => {
  const { app, engine } = await makeApp(t)
  engine.queueSize = 3
  engine.restarts = 2
  engine.modelFailures = 4
  engine.memoryKills = 5
  engine.resident.set(0, 1e9).set(1, 2e9)
  engine.gpu.set(1, 3e9)
  engine.held.set(1, { heap: 3e7, external: 4e7 })
  await post(app, '/answer', ASK)
  await post(app, '/crop', { question: 'q' })
  await app.inject({ url: '/no/such/path' })
  const metrics = await scrape(app)
  const expected = {
    'cropvlm_requests_total{route="/answer",status="200"}': 1,
    'cropvlm_requests_total{route="/crop",status="400"}': 1,
    'cropvlm_requests_total{route="unmatched",status="404"}': 1,
    'cropvlm_request_duration_seconds_count{route="/answer"}': 1,
    'cropvlm_request_duration_seconds_bucket{le="0.005",route="/crop"}': undefined,
    'cropvlm_stage_duration_seconds_sum{stage="vision"}': 0.0205,
    cropvlm_queue_size: 3,
    cropvlm_requests_in_flight: 1,
    cropvlm_batch_size_sum: 1,
    cropvlm_generated_tokens_sum: 15,
    cropvlm_decoder_runs_sum: 8,
    cropvlm_overruled_tokens_total: 1,
    'cropvlm_prefix_cache_lookups_total{found="false"}': 1,
    cropvlm_bbox_area_ratio_sum: 0.2856,
    'cropvlm_decisions_total{decision="zoomed",reason="none"}': 1,
    'cropvlm_target_requests_total{target="local",outcome="ok"}': 1,
    'cropvlm_target_duration_seconds_count{target="local"}': 1,
    'cropvlm_target_tokens_total{target="local",type="prompt"}': 512,
    'cropvlm_target_tokens_total{target="local",type="completion"}': 3,
    cropvlm_engine_restarts_total: 2,
    cropvlm_engine_memory_kills_total: 5,
    cropvlm_model_failures_total: 4,
    cropvlm_model_ready: 1,
    'cropvlm_engine_resident_bytes{process="0"}': 1e9,
    'cropvlm_engine_resident_bytes{process="1"}': 2e9,
    'cropvlm_gpu_memory_bytes{process="1"}': 3e9,
    'cropvlm_engine_heap_bytes{process="1"}': 3e7,
    'cropvlm_engine_external_bytes{process="1"}': 4e7,
    'cropvlm_execution_provider_info{provider="cpu"}': 1,
  }
  for (const [name, value] of Object.entries(expected)) {
    if (value === undefined) t.ok(metrics.has(name), name)
    else t.equal(metrics.get(name), value, name)
  }
  for (const stage of ['queue', 'decode', 'preprocess', 'vision', 'prefill', 'generate', 'crop', 'target'])
    t.equal(metrics.get(`cropvlm_stage_duration_seconds_count{stage="${stage}"}`), 1, stage)
  const buckets = [...metrics.keys()].filter(name => name.startsWith('cropvlm_request_duration_seconds_bucket{'))
  const edges = buckets.map(name => /le="([^"]+)"/.exec(name)?.[1])
  t.ok(edges.includes('0.005') && edges.includes('60'), 'buckets from 5 ms to 60 s')
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds'])
    t.ok(metrics.has(name), name)
})

t.test('a fallback, a failed target, an engine that is not there', async t => {
  const { app, engine } = await makeApp(
    t,
    { locate: job => located(job, { decision: 'fallback', reason: 'no_box', box: [0, 0, 100, 100] }) },
    { TARGET_BASE_URL: 'http://127.0.0.1:9/v1', TARGET_MODEL: 'm' },
  )
  engine.state = 'restarting'
  t.equal((await post(app, '/answer', ASK)).status, 502)
  const metrics = await scrape(app)
  t.equal(metrics.get('cropvlm_decisions_total{decision="fallback",reason="no_box"}'), 1)
  t.equal(metrics.get('cropvlm_target_requests_total{target="default",outcome="failed"}'), 1)
  t.equal(metrics.get('cropvlm_bbox_area_ratio_sum'), 1)
  t.equal(metrics.get('cropvlm_model_ready'), 0)
})

t.test('the memory of processes that are gone is not told', async t => {
  const { app, engine } = await makeApp(t)
  engine.resident.set(0, 5)
  t.equal((await scrape(app)).get('cropvlm_engine_resident_bytes{process="0"}'), 5)
  engine.resident.clear()
  const memory = [...(await scrape(app)).keys()].filter(name => /engine_resident|gpu_memory/.test(name))
  t.same(memory, [])
})

t.test('the content type is what Prometheus reads', async t => {
  const { app } = await makeApp(t)
  const response = await app.inject({ url: '/metrics' })
  t.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4/)
})

t.test('what runs here', async t => {
  const build = (metrics: Map<string, number>) => [...metrics].filter(([name]) => name.startsWith('cropvlm_build_info'))
  const versions = /version="\d+\.\d+\.\d+",node="\d+\.\d+\.\d+",onnxruntime="\d+\.\d+\.\d+"/
  for (const [env, revision] of [
    [{}, 'unknown'],
    [{ GIT_REVISION: '3f2a9c1' }, '3f2a9c1'],
  ] as const) {
    const { app } = await makeApp(t, {}, env)
    const [[name, value] = [], ...others] = build(await scrape(app))
    t.match(name, versions)
    t.match(name, `revision="${revision}"}`)
    t.strictSame([value, others], [1, []])
  }
})
