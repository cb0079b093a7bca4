import t from 'tap'
import { readTracing } from '../../src/config/tracing.js'

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318/' }

function read(env: Record<string, string>) {
  const problems: string[] = []
  return { config: readTracing(env, problems), problems }
}

t.test('off unless a collector is set, and then whatever else is set does not matter', async t => {
  for (const env of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
    { OTEL_TRACES_SAMPLER: 'none such', OTEL_RESOURCE_ATTRIBUTES: '=' },
    { ...COLLECTOR, OTEL_SDK_DISABLED: 'true' },
  ])
    t.strictSame(read(env), { config: null, problems: [] })
})

t.test('the defaults, and all that can be set', async t => {
  t.strictSame(read(COLLECTOR), {
    config: {
      url: 'http://localhost:4318/v1/traces',
      headers: {},
      serviceName: 'cropvlm',
      resource: {},
      sampler: 'parentbased_always_on',
      ratio: 1,
      notes: [],
    },
    problems: [],
  })
  const { config } = read({
    ...COLLECTOR,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://otel.example/some/path',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a%3D, x-two=2,',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,team=vision',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  })
  t.strictSame(config, {
    url: 'https://otel.example/some/path',
    headers: { authorization: 'Bearer a=', 'x-two': '2' },
    serviceName: 'other',
    resource: { 'service.name': 'other', team: 'vision' },
    sampler: 'traceidratio',
    ratio: 0.25,
    notes: [],
  })
  t.match(read({ ...COLLECTOR, OTEL_SERVICE_NAME: 'mine', OTEL_RESOURCE_ATTRIBUTES: 'service.name=other' }), {
    config: { serviceName: 'mine' },
  })
  t.match(read({ ...COLLECTOR, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }).config?.notes, [/port 4318/])
})

t.test('what is wrong; no header and no address is shown', async t => {
  const rows: [env: Record<string, string>, problem: RegExp][] = [
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' },
      /^OTEL_EXPORTER_OTLP_ENDPOINT is wrong .*http:\/\/localhost:4318,/,
    ],
    [{ ...COLLECTOR, OTEL_EXPORTER_OTLP_HEADERS: 'hush' }, /^OTEL_EXPORTER_OTLP_HEADERS is wrong .*name=value pairs/],
    [
      { ...COLLECTOR, OTEL_EXPORTER_OTLP_HEADERS: 'a=hush%' },
      /^OTEL_EXPORTER_OTLP_HEADERS is not percent-encoded.*%25/,
    ],
    [{ ...COLLECTOR, OTEL_TRACES_SAMPLER: 'jaeger_remote' }, /^OTEL_TRACES_SAMPLER is "jaeger_remote".*parentbased/],
    [{ ...COLLECTOR, OTEL_TRACES_SAMPLER_ARG: '2' }, /^OTEL_TRACES_SAMPLER_ARG is "2".*from 0 to 1/],
  ]
  for (const [env, problem] of rows) {
    const { problems } = read(env)
    t.match(problems, [problem])
    t.equal(problems.length, 1)
    t.notMatch(problems.join(), 'hush')
  }
})
