/** Where croppers are made: a new kind is a file beside this one and an entry of `CROPPERS`. */
import type { CropperName } from '../config/cropper.js'
import { endpointAddress } from '../config/endpoint/endpoint.js'
import type { Config, OpenAiTargetConfig } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import type { EngineNeeds } from '../engine/options.js'
import { CropVlmError } from '../errors.js'
import { attentionCropper, attentionModel } from './attention.js'
import { type Choice, chooseCropper } from './choose.js'
import type { Cropper } from './cropper.js'
import type { Dialect } from './dialects/dialect.js'
import { byArea, type Growth, noGrowth, table3 } from './dialects/growth.js'
import { onnxCropper, onnxModel } from './onnx.js'
import { remoteCropper } from './remote/remote.js'
import type { RemoteCropperSettings } from './remote/settings.js'
import { textCropper } from './text.js'

interface CropperKind {
  /** What the engine has to load for it. */
  needs(config: Config): EngineNeeds
  make(engine: Engine, config: Config, choice: Choice): Cropper
}

const NOTHING: EngineNeeds = { cropper: null, ocr: false }

const CROPPERS: Readonly<Record<CropperName, CropperKind>> = {
  attention: { needs: config => ({ cropper: attentionModel(config), ocr: false }), make: attentionCropper },
  onnx: { needs: config => ({ cropper: onnxModel(config), ocr: false }), make: onnxCropper },
  openai: {
    needs: () => NOTHING,
    make: (engine, config, choice) =>
      remoteCropper(engine, { ...ownEndpoint(config), ...settings(config, choice) }, config),
  },
  target: {
    needs: () => NOTHING,
    make: (engine, config, choice) =>
      remoteCropper(engine, { ...targetEndpoint(config), ...settings(config, choice) }, config),
  },
  text: { needs: () => ({ cropper: null, ocr: true }), make: textCropper },
}

/** The cropper that a configuration means. */
export interface ConfiguredCropper {
  choice: Choice
  needs: EngineNeeds
  make(engine: Engine): Cropper
}

/** @throws CropVlmError invalid_config, naming the remedy, if the settings of the cropper do not go together */
export function configuredCropper(config: Config): ConfiguredCropper {
  const chosen = chooseCropper({
    cropper: config.cropper,
    model: config.cropperModel,
    baseUrl: config.cropperBaseUrl,
    boxes: config.cropperBoxes,
    targetModel: endpointOf(config)?.model ?? null,
    targetProfile: endpointOf(config)?.profile ?? null,
  })
  if ('problem' in chosen) throw new CropVlmError('invalid_config', `The configuration is wrong:\n- ${chosen.problem}`)
  const { choice } = chosen
  const { needs, make } = CROPPERS[choice.cropper]
  return { choice, needs: needs(config), make: engine => explained(make(engine, config, choice), choice.why) }
}

/** The cropper, saying of itself why it was chosen. */
function explained(cropper: Cropper, why: string): Cropper {
  return {
    get info() {
      return { ...cropper.info, why }
    },
    find: requests => cropper.find(requests),
  }
}

/** The default target, if it is an endpoint. */
function endpointOf({ targets: [target] }: Config): OpenAiTargetConfig | null {
  return target.kind === 'openai' ? target : null
}

type Endpoint = Omit<RemoteCropperSettings, keyof CropperSettings>

function ownEndpoint({ cropperBaseUrl, cropperModel, cropperApiKey }: Config): Endpoint {
  if (cropperBaseUrl === null || cropperModel === null) throw new Error('chosen without an endpoint')
  return { name: 'openai', ...endpointAddress(cropperBaseUrl), model: cropperModel, apiKey: cropperApiKey }
}

function targetEndpoint(config: Config): Endpoint {
  const target = endpointOf(config)
  if (!target) throw new Error('chosen without a target that is an endpoint')
  const { baseUrl, query, headers, extraBody, model, apiKey } = target
  return { name: 'target', baseUrl, query, headers, extraBody, model, apiKey }
}

/** What can be set of the cropper wherever its endpoint is. */
type CropperSettings = Pick<
  RemoteCropperSettings,
  'dialect' | 'longestEdge' | 'growth' | 'guided' | 'timeoutMs' | 'concurrency' | 'proxies'
>

function settings(config: Config, { dialect }: Choice): CropperSettings {
  if (!dialect) throw new Error('chosen without a dialect')
  const { cropperEdge, cropperExpand, cropperGuided, cropperTimeoutMs, cropperConcurrency } = config
  return {
    dialect,
    longestEdge: cropperEdge,
    growth: growthOf(cropperExpand, dialect),
    guided: cropperGuided,
    timeoutMs: cropperTimeoutMs,
    concurrency: cropperConcurrency,
    proxies: config.proxies,
  }
}

/** @param expand A value of `CROPPER_EXPAND`. */
function growthOf(expand: string, dialect: Dialect): Growth {
  if (expand === 'dialect') return dialect.growth
  if (expand === 'none') return noGrowth
  return expand === 'table3' ? table3 : byArea(Number(expand))
}
