/** Every dialect: a new one is a file beside the others and a line here. */
import type { Dialect } from './dialect.js'
import { cropvlm } from './pointing/cropvlm.js'
import { gemini } from './pointing/gemini.js'
import { generic } from './pointing/generic.js'
import { internvl } from './pointing/internvl.js'
import { glm, qwen2, qwen3, qwen25 } from './pointing/qwen.js'
import { chainOfFocus, deepeyes } from './zooming/deepeyes.js'
import { miniO3 } from './zooming/mini-o3.js'
import { pixelReasoner } from './zooming/pixel-reasoner.js'
import { visrl } from './zooming/visrl.js'
import { uvCot, visualCot } from './zooming/visual-cot.js'

/** What was trained from another model comes before that one, whose name its own may contain. */
export const DIALECTS: readonly Dialect[] = [
  cropvlm,
  uvCot,
  visualCot,
  visrl,
  miniO3,
  pixelReasoner,
  deepeyes,
  chainOfFocus,
  qwen25,
  qwen2,
  qwen3,
  glm,
  internvl,
  gemini,
  generic,
]

/** The values of `CROPPER_BOXES`. */
export const DIALECT_NAMES: readonly string[] = DIALECTS.map(({ name }) => name)

/** By its name; null where there is none of that name. */
export function dialectNamed(name: string): Dialect | null {
  return DIALECTS.find(dialect => dialect.name === name) ?? null
}

/** By the name that an endpoint gives the model; null where it tells nothing. */
export function dialectOfModel(model: string): Dialect | null {
  return DIALECTS.find(({ models }) => models?.test(model)) ?? null
}
