/**
 * Everything that can be configured, by environment variables alone. The service reads `process.env` nowhere else. Each
 * variable is documented where it is declared; the schema is the type. An empty variable counts as unset, so that
 * `API_KEY: ${API_KEY:-}` in a compose file does what it looks like.
 */
import { Type } from '@sinclair/typebox'
import { CropVlmError } from '../errors.js'
import { keysOf } from './access/key-to-send.js'
import { endpointKey, KEY_VARIABLES, readKeys } from './access/keys.js'
import { readTrustProxy, TRUST_PROXY_VARIABLES, type TrustedProxies } from './access/trust-proxy.js'
import { CROPPER_VARIABLES } from './cropper.js'
import { ENDPOINT_VARIABLES } from './endpoint/endpoints.js'
import { type ProxyConfig, readProxies } from './endpoint/proxies.js'
import { ENGINE_VARIABLES } from './engine.js'
import { IMAGE_URL_VARIABLES, type ImageUrlsConfig, readImageUrls } from './image-urls.js'
import { PROXY_VARIABLES } from './proxy.js'
import { Choice, HOUR_MS, OrNull } from './schema.js'
import type { TargetConfig } from './target/entry.js'
import { readTargets, TARGET_VARIABLES } from './target/targets.js'
import { readTracing, TRACING_VARIABLES, type TracingConfig } from './tracing.js'
import { describe, type Env, type Settings, type VariableDoc, variableReader } from './variables.js'

export type { LocalTargetConfig, OpenAiTargetConfig, ReaderTargetConfig, TargetConfig } from './target/entry.js'

/** `*`, or scheme, host and port, without a path. */
const ORIGIN = '(?:\\*|[a-zA-Z][a-zA-Z0-9+.-]*://[^\\s/,?#*]+/?)'
const ORIGIN_LIST = `^${ORIGIN}(?:\\s*,\\s*${ORIGIN})*$`

const SERVICE_VARIABLES = {
  host: Type.String({
    env: 'HOST',
    default: '127.0.0.1',
    description: 'Address to listen on; 0.0.0.0 for every interface (the container images set that).',
  }),
  port: Type.Integer({
    env: 'PORT',
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0 takes a free one.',
  }),
  ...KEY_VARIABLES,
  corsOrigins: OrNull(
    Type.String({
      env: 'CORS_ORIGINS',
      pattern: ORIGIN_LIST,
      expected: 'origins separated by commas, such as https://app.example.org, or *',
      description:
        'Origins whose pages may use the service from a browser (CORS), separated by commas, or * for every origin; never with cookies. unset: none.',
    }),
  ),
  ...TRUST_PROXY_VARIABLES,
  logLevel: Choice(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
    env: 'LOG_LEVEL',
    default: 'info',
    description: 'Least level of log lines. Questions appear at trace only; keys and image bytes never.',
  }),
  ...CROPPER_VARIABLES,
  ...ENGINE_VARIABLES,
  zoomMinConfidence: Type.Number({
    env: 'ZOOM_MIN_CONFIDENCE',
    default: 0,
    minimum: 0,
    maximum: 1,
    description: 'With zoom=auto, boxes of a lower confidence are skipped; 0 skips none.',
  }),
  zoomMaxArea: Type.Number({
    env: 'ZOOM_MAX_AREA',
    default: 0.9,
    minimum: 0,
    maximum: 1,
    description: 'With zoom=auto, boxes that cover a larger share of the image are skipped.',
  }),
  ...PROXY_VARIABLES,
  maxBodyBytes: Type.Integer({
    env: 'MAX_BODY_BYTES',
    default: 20 * 1024 * 1024,
    minimum: 1024,
    maximum: 1024 ** 3,
    unit: 'bytes',
    description: 'Largest request body.',
  }),
  maxPixels: Type.Integer({
    env: 'MAX_PIXELS',
    default: 50_000_000,
    minimum: 1,
    maximum: 1_000_000_000,
    unit: 'pixels',
    description: 'Largest image, width times height, read from its header before anything is decoded.',
  }),
  maxAspect: Type.Integer({
    env: 'MAX_ASPECT',
    default: 100,
    minimum: 1,
    maximum: 100_000,
    description: "Largest ratio of an image's longer edge to its shorter.",
  }),
  maxQuestionChars: Type.Integer({
    env: 'MAX_QUESTION_CHARS',
    default: 2000,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'characters',
    description: 'Longest question.',
  }),
  requestTimeoutMs: Type.Integer({
    env: 'REQUEST_TIMEOUT_MS',
    default: 60_000,
    minimum: 100,
    maximum: HOUR_MS,
    unit: 'ms',
    description: 'Deadline of one request, waiting in the queue included.',
  }),
  shutdownGraceMs: Type.Integer({
    env: 'SHUTDOWN_GRACE_MS',
    default: 30_000,
    minimum: 0,
    maximum: HOUR_MS,
    unit: 'ms',
    description: 'How long requests in flight may take to finish after SIGTERM or SIGINT.',
  }),
  ...ENDPOINT_VARIABLES,
  gitRevision: OrNull(
    Type.String({
      env: 'GIT_REVISION',
      pattern: '^[\\w.+/-]{1,80}$',
      expected: 'the name of a commit, like 3f2a9c1',
      description:
        'Commit that this service was built from, as cropvlm_build_info of /metrics tells it; the container images have it from their build argument of the same name.',
    }),
  ),
}

export type Config = Omit<Settings<typeof SERVICE_VARIABLES>, 'apiKey' | 'trustProxy'> & {
  /** The keys that callers may give, at the start of the service: those of `API_KEY` and of `API_KEY_FILE`. Empty: none is needed. */
  readonly apiKeys: readonly string[]
  /** The keys that stay while the service runs: those of `API_KEY`. */
  readonly fixedApiKeys: readonly string[]
  readonly trustProxy: TrustedProxies
  /** Where traces go; null: nowhere. */
  readonly tracing: TracingConfig | null
  /** Where images may be fetched from; null: nowhere. */
  readonly imageUrls: ImageUrlsConfig | null
  /** The target VLMs; the first is the default. Never empty. */
  readonly targets: readonly [TargetConfig, ...TargetConfig[]]
  /** Of calls to endpoints of targets and croppers. */
  readonly proxies: ProxyConfig
  /** What an operator should know of these settings, as sentences. */
  readonly warnings: readonly string[]
}

const readService = variableReader(SERVICE_VARIABLES)

/** Every variable, for the documentation and the tests that hold it to this file. */
export const OPTIONS: readonly VariableDoc[] = [
  ...Object.values(SERVICE_VARIABLES),
  ...Object.values(IMAGE_URL_VARIABLES),
  ...Object.values(TARGET_VARIABLES),
  ...Object.values(TRACING_VARIABLES),
].map(describe)

/**
 * Reads and checks the whole environment.
 * @throws CropVlmError invalid_config, which lists every problem: the variable, its value (secrets not shown), the remedy
 */
export function readConfig(env: Env = process.env): Config {
  const problems: string[] = []
  const warnings: string[] = []
  const { apiKey = null, trustProxy = null, ...settings } = readService(env, problems)
  const { apiKeyFile = null, cropperApiKeyFile = null } = settings
  const apiKeys = readKeys({ apiKey, apiKeyFile }, problems, warnings)
  const cropperApiKey = endpointKey(
    'CROPPER_API_KEY',
    settings.cropperApiKey ?? null,
    cropperApiKeyFile,
    problems,
    warnings,
  )
  const trusted = readTrustProxy(trustProxy, problems)
  const imageUrls = readImageUrls(env, problems)
  const [first, ...others] = readTargets(env, problems, warnings)
  const tracing = readTracing(env, problems)
  const isRemote = settings.cropperBaseUrl || [first, ...others].some(target => target?.kind === 'openai')
  // a proxy that nothing uses need not be one
  const proxies = readProxies(env, isRemote ? problems : [])
  if (problems.length > 0 || !first)
    throw new CropVlmError('invalid_config', `The configuration is wrong:\n${problems.map(p => `- ${p}`).join('\n')}`)
  // without problems every setting has its value
  return Object.freeze({
    ...(settings as Omit<Settings<typeof SERVICE_VARIABLES>, 'apiKey' | 'trustProxy'>),
    apiKeys: Object.freeze(apiKeys),
    fixedApiKeys: Object.freeze(keysOf(apiKey)),
    cropperApiKey,
    trustProxy: trusted,
    imageUrls,
    targets: Object.freeze([first, ...others] as const),
    proxies,
    tracing,
    warnings: Object.freeze(warnings),
  })
}
