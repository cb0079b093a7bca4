/** What `GET /metrics` shows. Each app has a registry of its own, so that a test can make several apps. */

import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { areaShare } from '../../contract/box.js'
import type { Cropper } from '../../cropper/cropper.js'
import type { Engine } from '../../engine/engine.js'
import type { ScriptMemory } from '../../engine/protocol.js'
import type { Target } from '../../target/target.js'
import { onnxruntimeVersion, VERSION } from '../../version.js'
import type { ZoomObserver } from '../../zoom/zoom.js'
import type { ProxyObserver } from '../routes/v1/proxy.js'

/** 5 ms to 60 s. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60]

export type Metrics = ReturnType<typeof makeMetrics>

interface Sources {
  /** Commit that the service was built from; null where that is not known. */
  revision?: string | null
  engine: Engine
  cropper: Cropper
  targets: ReadonlyMap<string, Target>
}

/** The metrics of an app. Figures of the engine, the cropper and the targets are read from them at each scrape. */
export function makeMetrics({ engine, cropper, targets, revision = null }: Sources) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const histogram = <T extends string>(name: string, help: string, labelNames: T[], buckets = SECONDS) =>
    new Histogram({ name: `cropvlm_${name}`, help, labelNames, buckets, registers })
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter({ name: `cropvlm_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `cropvlm_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })

  const build = { version: VERSION, node: process.versions.node, onnxruntime: onnxruntimeVersion() }
  new Gauge({
    name: 'cropvlm_build_info',
    help: 'What runs here, as the labels; the value is 1. revision is the commit (GIT_REVISION), unknown where that is not set.',
    labelNames: ['version', 'node', 'onnxruntime', 'revision'],
    registers,
  }).set({ ...build, revision: revision ?? 'unknown' }, 1)
  gauge('queue_size', 'Jobs waiting for the engine.', () => engine.queueSize)
  gauge('model_ready', '1 once the model has answered and while the engine is up.', () =>
    engine.state === 'ready' ? 1 : 0,
  )
  new Counter({
    name: 'cropvlm_engine_restarts_total',
    help: 'Restarts of engine processes.',
    registers,
    collect() {
      this.reset()
      this.inc(engine.restarts)
    },
  })
  new Counter({
    name: 'cropvlm_engine_memory_kills_total',
    help: 'Engine processes that were ended because they held more memory than MODEL_MEMORY_LIMIT.',
    registers,
    collect() {
      this.reset()
      this.inc(engine.memoryKills)
    },
  })
  new Counter({
    name: 'cropvlm_model_failures_total',
    help: 'Requests that failed because a model gave no numbers, or because its template or patterns took too long.',
    registers,
    collect() {
      this.reset()
      this.inc(engine.modelFailures)
    },
  })
  new Gauge({
    name: 'cropvlm_execution_provider_info',
    help: 'Where models run, as the label; the value is 1.',
    labelNames: ['provider'],
    registers,
    collect() {
      this.reset()
      const provider = engine.info?.executionProvider
      if (provider) this.set({ provider }, 1)
    },
  })

  type Bytes = ReadonlyMap<number, number>
  const memory = (name: string, help: string, read: () => Bytes | Promise<Bytes>) =>
    new Gauge({
      name: `cropvlm_${name}`,
      help,
      labelNames: ['process'],
      registers,
      async collect() {
        const found = await read()
        this.reset()
        for (const [process, bytes] of found) this.set({ process }, bytes)
      },
    })
  const scriptMemory = (kind: keyof ScriptMemory) =>
    new Map([...engine.scriptMemory()].map(([process, held]) => [process, held[kind]]))
  memory(
    'engine_resident_bytes',
    'Memory of each engine process; weights that processes share are counted in each.',
    () => engine.residentBytes(),
  )
  memory('engine_heap_bytes', "V8's heap in each engine process at its last heartbeat, garbage included.", () =>
    scriptMemory('heap'),
  )
  memory(
    'engine_external_bytes',
    "Buffers and tensors outside V8's heap in each engine process at its last heartbeat.",
    () => scriptMemory('external'),
  )
  memory('gpu_memory_bytes', 'GPU memory of each engine process, as nvidia-smi tells.', () => engine.deviceBytes())

  const openBreaker = 'while it is not asked, because it failed again and again.'
  new Gauge({
    name: 'cropvlm_target_breaker_open',
    help: `1 for a target at an endpoint ${openBreaker}`,
    labelNames: ['target'],
    registers,
    collect() {
      for (const { name, breaker } of targets.values()) if (breaker) this.set({ target: name }, Number(breaker.open))
    },
  })
  new Gauge({
    name: 'cropvlm_cropper_breaker_open',
    help: `1 for the cropper's endpoint ${openBreaker}`,
    registers,
    collect() {
      this.set(Number(cropper.info.breaker?.open ?? false))
    },
  })

  const stages = histogram('stage_duration_seconds', 'Duration of one stage of a request.', ['stage'])
  const tokens = histogram('generated_tokens', 'Tokens the cropper generated for a box.', [], [1, 2, 4, 8, 16, 32, 64])
  const area = histogram(
    'bbox_area_ratio',
    "Area of the box by the image's.",
    [],
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1],
  )
  const batch = histogram(
    'batch_size',
    'Questions answered by the same runs as one, itself included.',
    [],
    [1, 2, 4, 8],
  )
  const runs = histogram(
    'decoder_runs',
    'Runs of the decoder for a box, the prefill included.',
    [],
    [1, 4, 6, 7, 8, 16, 32],
  )
  const nonGreedyTokens = counter(
    'overruled_tokens_total',
    'Tokens of boxes that were not the likeliest under the model: the grammar forced or masked.',
    [],
  )
  const prefixes = counter(
    'prefix_cache_lookups_total',
    'Questions by whether what was computed of their image for another question was found.',
    ['found'],
  )
  const decisions = counter('decisions_total', 'Boxes by decision; reason is none where there is nothing to explain.', [
    'decision',
    'reason',
  ])

  const cropperTokens = counter(
    'cropper_tokens_total',
    "Tokens the cropper's endpoint reported; type is prompt or completion.",
    ['type'],
  )
  const targetRequests = counter('target_requests_total', 'Calls of a target VLM by outcome.', ['target', 'outcome'])
  const targetDuration = histogram('target_duration_seconds', 'Duration of one call of a target VLM.', ['target'])
  const targetTokens = counter('target_tokens_total', 'Tokens a target VLM reported; type is prompt or completion.', [
    'target',
    'type',
  ])

  const observer: ZoomObserver = {
    onFound({ timings, regions }) {
      for (const [stage, ms] of Object.entries(timings)) stages.observe({ stage }, ms / 1000)
      for (const { box, decision, reason, cost, usage } of regions) {
        area.observe(areaShare(box))
        decisions.inc({ decision, reason: reason ?? 'none' })
        if (usage) {
          cropperTokens.inc({ type: 'prompt' }, usage.promptTokens)
          cropperTokens.inc({ type: 'completion' }, usage.completionTokens)
        }
        if (!cost) continue
        tokens.observe(cost.generatedTokens)
        runs.observe(cost.runs)
        nonGreedyTokens.inc(cost.nonGreedyTokens)
        batch.observe(cost.batch)
        prefixes.inc({ found: String(cost.reused) })
      }
    },
    onTargetCall(target, outcome, ms, usage) {
      targetRequests.inc({ target, outcome })
      if (outcome !== 'not_asked') targetDuration.observe({ target }, ms / 1000)
      if (!usage) return
      targetTokens.inc({ target, type: 'prompt' }, usage.promptTokens)
      targetTokens.inc({ target, type: 'completion' }, usage.completionTokens)
    },
    onAnswered(ms) {
      stages.observe({ stage: 'target' }, ms / 1000)
    },
  }

  const proxyRequests = counter('proxy_requests_total', 'Requests under /v1 that may zoom, by decision and reason.', [
    'decision',
    'reason',
  ])
  const proxyZoom = histogram('proxy_zoom_duration_seconds', 'What the zoom adds to a request under /v1.', ['decision'])
  const proxyCrops = counter('proxy_crops_total', 'Crops put into requests under /v1.', [])
  const openFailures = counter(
    'proxy_open_failures_total',
    'Crops that could not be looked for, or not in time; with ZOOM_FAIL=open the request goes on without.',
    ['reason'],
  )
  const lookups = counter('proxy_cache_lookups_total', 'Questions about an image by whether the crop was remembered.', [
    'found',
  ])
  const replies = counter(
    'proxy_replies_total',
    'Replies of targets under /v1; usage tells whether they told tokens.',
    ['decision', 'usage'],
  )
  const proxyTokens = counter(
    'proxy_tokens_total',
    'Tokens that targets told under /v1. By decision, so that what crops add shows: compare the mean of zoomed with the others.',
    ['decision', 'type'],
  )
  const proxy: ProxyObserver = {
    onVerdict({ decision, reason, boxes, failures, ms }) {
      proxyRequests.inc({ decision, reason: reason ?? 'none' })
      if (decision !== 'off') proxyZoom.observe({ decision }, ms / 1000)
      proxyCrops.inc(boxes.length)
      for (const { reason } of failures) openFailures.inc({ reason })
    },
    onLookup(found) {
      lookups.inc({ found: String(found) })
    },
    onFetched(ms) {
      stages.observe({ stage: 'fetch' }, ms / 1000)
    },
    onReply({ decision }, tokens) {
      replies.inc({ decision, usage: String(tokens !== null) })
      if (!tokens) return
      proxyTokens.inc({ decision, type: 'prompt' }, tokens.prompt)
      proxyTokens.inc({ decision, type: 'completion' }, tokens.completion)
    },
  }

  return {
    registry,
    observer,
    proxy,
    requests: counter('requests_total', 'Requests by route and status; 499: the client went away.', [
      'route',
      'status',
    ]),
    requestDuration: histogram('request_duration_seconds', 'Duration of a request.', ['route']),
    inFlight: new Gauge({ name: 'cropvlm_requests_in_flight', help: 'Requests being answered.', registers }),
  }
}

/** Counts and times every request. */
export function addRequestMetrics(app: FastifyInstance, { inFlight, requests, requestDuration }: Metrics): void {
  app.addHook('onRequest', (request, reply, next) => {
    const route = request.routeOptions.url ?? 'unmatched'
    inFlight.inc()
    let done = false
    const finish = (status: number) => {
      if (done) return
      done = true
      inFlight.dec()
      requests.inc({ route, status: String(status) })
      requestDuration.observe({ route }, reply.elapsedTime / 1000)
    }
    reply.raw.once('finish', () => finish(reply.raw.statusCode))
    reply.raw.once('close', () => finish(499))
    next()
  })
}
