/** Where traces go, by the variables that every OpenTelemetry SDK reads. Those not named here the SDK reads by itself. */
import { Type } from '@sinclair/typebox'
import { Choice, OrNull } from './schema.js'
import { type Env, variableReader } from './variables.js'

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

export interface TracingConfig {
  /** To which spans are sent as OTLP's JSON. */
  readonly url: string
  /** Of each call to the collector; may be secrets. */
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  /** What else is said of this service. */
  readonly resource: Readonly<Record<string, string>>
  readonly sampler: (typeof SAMPLERS)[number]
  /** Of the samplers that take a share of the traces: how large, 0..1. */
  readonly ratio: number
  /** What an operator should know, as sentences. */
  readonly notes: readonly string[]
}

const URL_EXPECTED = 'an http or https URL, like http://localhost:4318'
const PAIRS = '^[^=,]+=[^,]*(,[^=,]+=[^,]*)*,?$'

export const TRACING_VARIABLES = {
  endpoint: OrNull(
    Type.String({
      env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      format: 'http-url',
      secret: true,
      expected: URL_EXPECTED,
      description:
        'OpenTelemetry collector that gets a trace of each request, by OTLP over HTTP (JSON), like http://localhost:4318; /v1/traces is appended. unset: nothing is traced.',
    }),
  ),
  tracesEndpoint: OrNull(
    Type.String({
      env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      format: 'http-url',
      secret: true,
      expected: `${URL_EXPECTED}/v1/traces`,
      description: 'The same for traces alone, with its whole path; goes before OTEL_EXPORTER_OTLP_ENDPOINT.',
    }),
  ),
  headers: OrNull(
    Type.String({
      env: 'OTEL_EXPORTER_OTLP_HEADERS',
      pattern: PAIRS,
      secret: true,
      expected: 'name=value pairs separated by commas, percent-encoded',
      description: 'Headers of each call to the collector, as name=value pairs separated by commas; never shown.',
    }),
  ),
  protocol: OrNull(
    Type.String({
      env: 'OTEL_EXPORTER_OTLP_PROTOCOL',
      description: 'http/json is what is sent, whatever stands here; another value is told in the log.',
    }),
  ),
  serviceName: OrNull(
    Type.String({
      env: 'OTEL_SERVICE_NAME',
      defaultText: 'cropvlm',
      description: 'Name of this service in traces; goes before service.name in OTEL_RESOURCE_ATTRIBUTES.',
    }),
  ),
  resource: OrNull(
    Type.String({
      env: 'OTEL_RESOURCE_ATTRIBUTES',
      pattern: PAIRS,
      expected: 'key=value pairs separated by commas, percent-encoded',
      description:
        'What else traces say of this service, as key=value pairs separated by commas, like deployment.environment.name=test.',
    }),
  ),
  sampler: Choice(SAMPLERS, {
    env: 'OTEL_TRACES_SAMPLER',
    default: 'parentbased_always_on',
    description:
      "Which requests are traced; parentbased_ ones leave that to the caller's traceparent where there is one.",
  }),
  ratio: Type.Number({
    env: 'OTEL_TRACES_SAMPLER_ARG',
    default: 1,
    minimum: 0,
    maximum: 1,
    description: 'Share of the traces that traceidratio and parentbased_traceidratio take.',
  }),
  disabled: Type.Boolean({
    env: 'OTEL_SDK_DISABLED',
    default: false,
    description: 'true traces nothing, whatever collector is set.',
  }),
}

const readSettings = variableReader(TRACING_VARIABLES)

/** null where nothing is traced: then what else is set of it is not looked at. What is wrong is added to `problems`. */
export function readTracing(env: Env, problems: string[]): TracingConfig | null {
  const wrong: string[] = []
  const settings = readSettings(env, wrong)
  const { endpoint = null, tracesEndpoint = null, headers = null, resource = null, disabled } = settings
  const isMeant = [env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].some(text => text?.trim())
  if (!isMeant || disabled) return null
  problems.push(...wrong)
  const { sampler, ratio, protocol = null } = settings
  const url = tracesEndpoint ?? (endpoint === null ? null : `${endpoint.replace(/\/+$/, '')}/v1/traces`)
  // a wrong setting has been reported
  if (wrong.length > 0 || url === null || sampler === undefined || ratio === undefined) return null
  const attributes = pairs('OTEL_RESOURCE_ATTRIBUTES', resource, problems)
  return Object.freeze({
    url,
    headers: Object.freeze(pairs('OTEL_EXPORTER_OTLP_HEADERS', headers, problems)),
    serviceName: settings.serviceName ?? attributes['service.name'] ?? 'cropvlm',
    resource: Object.freeze(attributes),
    sampler,
    ratio,
    notes: Object.freeze(
      protocol === null || protocol === 'http/json'
        ? []
        : [
            `OTEL_EXPORTER_OTLP_PROTOCOL is ${JSON.stringify(protocol)}, but traces are sent as http/json; set OTEL_EXPORTER_OTLP_ENDPOINT to where the collector takes OTLP by HTTP (commonly port 4318)`,
          ],
    ),
  })
}

function pairs(name: string, text: string | null, problems: string[]): Record<string, string> {
  try {
    const entries = (text ?? '').split(',').filter(pair => pair.trim() !== '')
    return Object.fromEntries(
      entries.map(pair => {
        const at = pair.indexOf('=')
        return [decodeURIComponent(pair.slice(0, at).trim()), decodeURIComponent(pair.slice(at + 1).trim())]
      }),
    )
  } catch {
    problems.push(`${name} is not percent-encoded (its value is not shown); write % as %25.`)
    return {}
  }
}
