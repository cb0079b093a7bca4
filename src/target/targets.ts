import type { Config, TargetConfig } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import { localTarget } from './local.js'
import { openAiTarget } from './openai.js'
import { readerTarget } from './reader.js'
import type { Target } from './target.js'

/** The configured targets by name, in their order: the first is the default. */
export function makeTargets(config: Config, engine: Engine): ReadonlyMap<string, Target> {
  return new Map(config.targets.map(target => [target.name, makeTarget(target, config, engine)]))
}

function makeTarget(target: TargetConfig, config: Config, engine: Engine): Target {
  switch (target.kind) {
    case 'openai':
      return openAiTarget(target, config)
    case 'local':
      return localTarget(target, engine)
    case 'reader':
      return readerTarget(target, engine)
  }
}
