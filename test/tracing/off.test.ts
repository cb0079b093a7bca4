import { createRequire } from 'node:module'
import t from 'tap'
import { IMAGE, makeApp, post } from '../support/fakes/app.js'

const { cache } = createRequire(import.meta.url)
// prom-client needs the API, which does nothing by itself
const loaded = () => Object.keys(cache).filter(path => /@opentelemetry\/(?!api\/)/.test(path))

t.test('without a collector nothing of the SDK is loaded', async t => {
  const { app } = await makeApp(t, {}, { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'no such one' })
  t.equal((await post(app, '/answer', { image: IMAGE, question: 'q' })).status, 200)
  t.same(loaded(), [])
  await makeApp(t, {}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  t.ok(loaded().length > 0, 'as it is with one')
})
