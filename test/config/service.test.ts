import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { OPTIONS, readConfig } from '../../src/config/service.js'
import type { CropVlmError } from '../../src/errors.js'

function problems(env: Record<string, string>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    const { code, message } = error as CropVlmError
    t.equal(code, 'invalid_config')
    return message.split('\n- ').slice(1)
  }
  return []
}

t.test('the defaults', async t => {
  t.same(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    apiKeyFile: null,
    apiKeys: [],
    fixedApiKeys: [],
    trustProxy: false,
    corsOrigins: null,
    logLevel: 'info',
    cropper: null,
    cropperModel: null,
    cropperBaseUrl: null,
    cropperApiKey: null,
    cropperApiKeyFile: null,
    cropperBoxes: null,
    cropperEdge: null,
    cropperExpand: 'dialect',
    cropperGuided: 'off',
    cropperTimeoutMs: 30_000,
    cropperConcurrency: 8,
    modelPrecision: null,
    executionProvider: 'auto',
    threads: null,
    engineProcesses: 1,
    batchSize: null,
    batchDelayMs: 0,
    graphCacheDir: join(homedir(), '.cache/cropvlm'),
    modelMemoryLimit: null,
    prefixCacheBytes: 268_435_456,
    constrainedDecoding: true,
    zoomMinConfidence: 0,
    zoomMaxArea: 0.9,
    zoom: 'auto',
    zoomMaxImages: 1,
    zoomDetail: 'keep',
    zoomNote: 'The next picture is an enlarged part of image {image}.',
    zoomBudgetMs: 5000,
    zoomFail: 'open',
    zoomCacheBytes: 67_108_864,
    proxyFirstByteTimeoutMs: 600_000,
    proxyMaxBodyBytes: 104_857_600,
    maxBodyBytes: 20_971_520,
    maxPixels: 50_000_000,
    maxAspect: 100,
    maxQuestionChars: 2000,
    requestTimeoutMs: 60_000,
    queueSize: 64,
    engineSandbox: 'off',
    engineHeartbeatMs: 5000,
    shutdownGraceMs: 30_000,
    imageUrls: null,
    firstTimeoutMs: 120_000,
    targetWarmup: false,
    breakerFailures: 3,
    breakerMs: 10_000,
    gitRevision: null,
    tracing: null,
    warnings: [],
    targets: [
      {
        kind: 'reader',
        name: 'local',
        timeoutMs: 30_000,
      },
    ],
    proxies: { httpProxy: '', httpsProxy: '', noProxy: '' },
  })
})

t.test('a proxy that cannot be one is a problem where an endpoint would use it', async t => {
  const wrong = { HTTPS_PROXY: 'gopher://me:hunter2@proxy' }
  t.match(readConfig(wrong).proxies, { httpsProxy: '' })
  const endpoint = { TARGET_BASE_URL: 'https://vlm.example/v1', TARGET_MODEL: 'm' }
  t.match(problems({ ...wrong, ...endpoint }), [/^HTTPS_PROXY is wrong \(its value is not shown\); set it to the URL/])
  t.match(problems({ ...wrong, CROPPER_BASE_URL: 'https://vlm.example/v1' }), [/^HTTPS_PROXY is wrong/])
  // a password as it is, where percent-encoding is wanted
  t.match(problems({ HTTP_PROXY: 'http://me:100%@proxy', ...endpoint }), [/^HTTP_PROXY is wrong/])
  t.equal(readConfig({ HTTP_PROXY: 'http://me:100%25@proxy', ...endpoint }).proxies.httpProxy, 'http://me:100%25@proxy')
})

t.test('every option can be set', async t => {
  const config = readConfig({
    HOST: '0.0.0.0',
    PORT: '0',
    API_KEY: 's3cret',
    TRUST_PROXY: '2',
    GIT_REVISION: '3f2a9c1',
    LOG_LEVEL: 'debug',
    CROPPER: 'openai',
    CROPPER_MODEL: 'a/model',
    CROPPER_BASE_URL: 'https://vlm.example/v1',
    CROPPER_API_KEY: 'k3y',
    CROPPER_BOXES: 'gemini',
    CROPPER_EDGE: '768',
    CROPPER_EXPAND: '1.5',
    CROPPER_GUIDED: 'vllm',
    CROPPER_TIMEOUT_MS: '2000',
    CROPPER_CONCURRENCY: '2',
    MODEL_PRECISION: 'int8',
    EXECUTION_PROVIDER: 'cuda',
    THREADS: '3',
    ENGINE_PROCESSES: '2',
    BATCH_SIZE: '4',
    BATCH_DELAY_MS: '5',
    GRAPH_CACHE_DIR: 'some/cache',
    CONSTRAINED_DECODING: 'off',
    ZOOM_MIN_CONFIDENCE: '0.25',
    ZOOM_MAX_AREA: '1',
    MAX_BODY_BYTES: '1048576',
    MAX_PIXELS: '1000000',
    MAX_ASPECT: '10',
    MAX_QUESTION_CHARS: '100',
    REQUEST_TIMEOUT_MS: '1000',
    QUEUE_SIZE: '1',
    SHUTDOWN_GRACE_MS: '0',
    TARGET_FIRST_TIMEOUT_MS: '500',
    TARGET_WARMUP: 'on',
    TARGET_BREAKER_FAILURES: '0',
    TARGET_BREAKER_MS: '100',
  })
  t.match(config, {
    host: '0.0.0.0',
    port: 0,
    apiKeys: ['s3cret'],
    trustProxy: 2,
    gitRevision: '3f2a9c1',
    logLevel: 'debug',
    cropper: 'openai',
    cropperModel: 'a/model',
    cropperBaseUrl: 'https://vlm.example/v1',
    cropperApiKey: 'k3y',
    cropperBoxes: 'gemini',
    cropperEdge: 768,
    cropperExpand: '1.5',
    cropperGuided: 'vllm',
    cropperTimeoutMs: 2000,
    cropperConcurrency: 2,
    modelPrecision: 'int8',
    executionProvider: 'cuda',
    threads: 3,
    engineProcesses: 2,
    batchSize: 4,
    batchDelayMs: 5,
    graphCacheDir: resolve('some/cache'),
    constrainedDecoding: false,
    zoomMinConfidence: 0.25,
    zoomMaxArea: 1,
    maxBodyBytes: 1_048_576,
    maxPixels: 1_000_000,
    maxAspect: 10,
    maxQuestionChars: 100,
    requestTimeoutMs: 1000,
    queueSize: 1,
    shutdownGraceMs: 0,
    firstTimeoutMs: 500,
    targetWarmup: true,
    breakerFailures: 0,
    breakerMs: 100,
  })
})

t.test('an empty variable is as good as none, and spaces around a value do not count', async t => {
  t.same(readConfig({ PORT: '', API_KEY: ' ', TARGETS: '', TARGET_BASE_URL: '' }), readConfig({}))
  t.equal(readConfig({ PORT: ' 9000\n' }).port, 9000)
})

t.test('an empty ZOOM_NOTE means no text', async t => {
  t.equal(readConfig({ ZOOM_NOTE: '' }).zoomNote, null)
  t.equal(readConfig({ ZOOM_NOTE: 'none' }).zoomNote, null)
  t.equal(readConfig({ ZOOM_NOTE: 'Look:' }).zoomNote, 'Look:')
})

t.test('the configuration cannot be changed', async t => {
  const config = readConfig({})
  t.ok(Object.isFrozen(config) && Object.isFrozen(config.targets) && Object.isFrozen(config.targets[0]))
})

t.test('what is wrong is told at once, with variable, value and remedy', async t => {
  t.same(problems({ PORT: '80 80', THREADS: '0', CONSTRAINED_DECODING: 'yes', EXECUTION_PROVIDER: 'gpu' }), [
    'PORT is "80 80"; set it to a whole number from 0 to 65535, in digits alone, or unset it (default: 8080).',
    'EXECUTION_PROVIDER is "gpu"; set it to auto, cpu or cuda, or unset it (default: auto).',
    'THREADS is "0"; set it to a whole number of threads from 1 to 1024, in digits alone, or auto, or unset it (default: auto).',
    'CONSTRAINED_DECODING is "yes"; set it to on or off, or unset it (default: on).',
  ])
})

t.test('words in the place of a number or a folder', async t => {
  t.match(readConfig({ THREADS: 'auto', BATCH_SIZE: 'auto', GRAPH_CACHE_DIR: 'off' }), {
    threads: null,
    batchSize: null,
    graphCacheDir: null,
  })
  t.same(problems({ BATCH_SIZE: 'all' }), [
    'BATCH_SIZE is "all"; set it to a whole number of jobs from 1 to 256, in digits alone, or auto, or unset it (default: auto).',
  ])
})

t.test('each default that is documented can be written', async t => {
  const written = OPTIONS.filter(({ defaultText }) => defaultText !== 'unset')
  t.ok(written.length > 25)
  for (const { env, defaultText } of written) t.same(readConfig({ [env]: defaultText }), readConfig({}), env)
  const all = Object.fromEntries(written.map(({ env, defaultText }) => [env, defaultText]))
  t.same(readConfig(all), readConfig({}))
})

t.test('a precision by any of its names', async t => {
  t.equal(readConfig({ MODEL_PRECISION: 'q8' }).modelPrecision, 'quantized')
  t.equal(readConfig({ MODEL_PRECISION: 'quantized' }).modelPrecision, 'quantized')
  t.equal(readConfig({ MODEL_PRECISION: 'auto' }).modelPrecision, null)
  t.same(problems({ MODEL_PRECISION: 'chosen' }), [
    'MODEL_PRECISION is "chosen"; set it to fp32, fp16, int8, quantized, uint8, q4, q4f16, bnb4, q8 or auto, or unset it (default: auto).',
  ])
  t.equal(problems({ MODEL_PRECISION: 'constructor' }).length, 1)
})

t.test('a path may begin with ~', async t => {
  t.match(readConfig({ GRAPH_CACHE_DIR: '~/mine' }), { graphCacheDir: join(homedir(), 'mine') })
})

t.test('numbers are read strictly', async t => {
  for (const PORT of ['-1', '1e3', '0x50', '80.5', '65536', 'NaN', '８０', '9'.repeat(400)])
    t.equal(problems({ PORT }).length, 1, PORT)
  for (const REQUEST_TIMEOUT_MS of ['60s', '1_000', '99', '3600001'])
    t.equal(problems({ REQUEST_TIMEOUT_MS }).length, 1, REQUEST_TIMEOUT_MS)
  for (const CONSTRAINED_DECODING of ['ON', '1', 'constructor'])
    t.equal(problems({ CONSTRAINED_DECODING }).length, 1, CONSTRAINED_DECODING)
})

t.test('each option is documented', async t => {
  const names = OPTIONS.map(({ env }) => env)
  t.equal(new Set(names).size, names.length)
  for (const { env, meaning, expected, defaultText } of OPTIONS) {
    t.match(env, /^[A-Z][A-Z_]+$/)
    t.match(meaning, /^\S.{10,}\.$/, env)
    t.ok(expected && defaultText, env)
  }
  t.same(
    OPTIONS.filter(({ secret }) => secret).map(({ env }) => env),
    [
      'API_KEY',
      'CROPPER_API_KEY',
      'TARGET_API_KEY',
      'TARGETS',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'OTEL_EXPORTER_OTLP_HEADERS',
    ],
  )
})
