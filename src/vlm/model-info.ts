/** What a model is used for: to find boxes, or to answer questions. */
export type ModelRole = 'cropper' | 'target'

/** What `/info` tells of one model. */
export interface ModelInfo {
  id: string
  role: ModelRole
  revision: string | null
  /** Longest edges, in pixels, that an image may be brought to. */
  resolutions: number[]
  defaultResolution: number
  precision: string
  /** Why that precision: the operator's choice, or what was found. */
  precisionReason: string
  /** File name to its sha256, lower-case hex. */
  sha256: Record<string, string>
  /** `cropvlm.json`'s `training`, as it stands; null where the folder has none. */
  training: Record<string, unknown> | null
  /** `cropvlm.json`'s `warning`: what users of the model should know; null where there is nothing to warn of. */
  warning: string | null
}
