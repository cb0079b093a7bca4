import type { Config } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import { localTarget } from './local.js'
import { openAiTarget } from './openai.js'
import type { Target } from './target.js'

/** The configured targets by name, in their order: the first is the default. */
export function makeTargets(config: Config, engine: Engine): ReadonlyMap<string, Target> {
  return new Map(
    config.targets.map(target => [
      target.name,
      target.kind === 'local' ? localTarget(target, engine) : openAiTarget(target),
    ]),
  )
}
