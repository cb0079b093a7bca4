import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ref } from '../../config/schema.js'
import type { Config } from '../../config/service.js'
import type { TargetProfile } from '../../config/target/profile.js'
import type { Cropper, CropperInfo } from '../../cropper/cropper.js'
import type { Engine } from '../../engine/engine.js'
import type { EngineInfo } from '../../engine/protocol.js'
import type { Target } from '../../target/target.js'
import { VERSION } from '../../version.js'
import type { ModelInfo } from '../../vlm/model-info.js'
import { errorReplies, jsonReply, NO_KEY } from '../reply/error-schema.js'
import { INFO_REPLY } from '../reply/info-schema.js'

interface Parts {
  config: Config
  engine: Engine
  cropper: Cropper
  targets: ReadonlyMap<string, Target>
}

/** `GET /info`: what runs here and within which limits. No secrets: no key, and no target's address. */
export function infoRoute(app: FastifyInstance, { config, engine, cropper, targets }: Parts): void {
  const schema = {
    operationId: 'getInfo',
    tags: ['service'],
    summary: 'Version, models, execution provider, limits and targets',
    description: 'What runs here and within which limits. No secrets: no key, and no address of a target.',
    response: { 200: jsonReply('What runs here.', ref(INFO_REPLY)), ...errorReplies(NO_KEY) },
  }
  app.get(
    '/info',
    { schema },
    async (): Promise<Static<typeof INFO_REPLY>> => ({
      name: 'cropvlm',
      version: VERSION,
      models: engine.info?.models.map(model) ?? [],
      reader: engine.info?.reader ?? null,
      execution_provider: provider(engine.info),
      sandbox: { name: engine.sandbox.name, reason: engine.sandbox.reason },
      cropper: cropperInfo(cropper.info),
      limits: {
        body_bytes: config.maxBodyBytes,
        pixels: config.maxPixels,
        aspect: config.maxAspect,
        question_chars: config.maxQuestionChars,
        request_timeout_ms: config.requestTimeoutMs,
        queue: config.queueSize,
        image_urls: config.imageUrls !== null,
      },
      targets: [...targets.values()].map(target => ({
        name: target.name,
        model: target.model,
        kind: target.kind,
        local: target.local,
        full_longest_edge: target.fullLongestEdge,
        crop_longest_edge: target.cropLongestEdge,
        breaker: breakerInfo(target.breaker),
        profile: target.profile ? profileInfo(target.profile) : null,
      })),
    }),
  )
}

/** null where no model runs, or none yet. */
function provider(info: EngineInfo | null) {
  return info?.executionProvider ? { name: info.executionProvider, reason: info.executionProviderReason } : null
}

function cropperInfo({ name, why, model, dialect, resolutions, warnings, breaker }: CropperInfo) {
  const told = { reason: why ?? null, model: model ?? null, dialect: dialect ?? null }
  return { name, ...told, resolutions, warnings: [...warnings], breaker: breakerInfo(breaker ?? null) }
}

function breakerInfo(breaker: Target['breaker']) {
  return breaker && { open: breaker.open, failures: breaker.failures, retry_in_ms: breaker.retryInMs }
}

function profileInfo(profile: TargetProfile) {
  return {
    name: profile.profile,
    crop_enlarge: profile.cropEnlarge,
    min_side: profile.minSide,
    prompt: profile.prompt,
    system: profile.system,
    tokens_field: profile.tokensField,
    takes_temperature: profile.takesTemperature,
    reasoning_tokens: profile.reasoningTokens,
  }
}

function model(info: ModelInfo) {
  const { id, role, revision, resolutions, defaultResolution, precision, precisionReason, sha256, training, warning } =
    info
  return {
    id,
    role,
    revision,
    resolutions,
    default_resolution: defaultResolution,
    precision,
    precision_reason: precisionReason,
    sha256,
    training,
    warning,
  }
}
