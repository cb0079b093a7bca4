/**
 * Decides from the configuration which cropper finds the boxes, and gives the reason. Settings that do not go together
 * are refused: no other cropper is taken in their place.
 */
import type { CropperName } from '../config/cropper.js'
import type { Dialect } from './dialects/dialect.js'
import { DIALECT_NAMES, dialectNamed, dialectOfModel } from './dialects/dialects.js'
import { generic } from './dialects/pointing/generic.js'

/** What the choice depends on. A setting that was not made is null. */
export interface ChoiceInput {
  /** `CROPPER`. */
  cropper: CropperName | null
  /** `CROPPER_MODEL`: a model folder; with `CROPPER_BASE_URL`, the endpoint's name of its model. */
  model: string | null
  /** `CROPPER_BASE_URL`. */
  baseUrl: string | null
  /** `CROPPER_BOXES`. */
  boxes: string | null
  /** The endpoint's name of the default target's model; null where the default target is no endpoint. */
  targetModel: string | null
  /** The name of the default target's profile, which may be a dialect's; tells more than a model's name. Default: null. */
  targetProfile?: string | null
}

export interface Choice {
  cropper: CropperName
  /** In which an endpoint is asked; null for a cropper that asks none. */
  dialect: Dialect | null
  /** A clause for the log and for `GET /info`, without a full stop. */
  why: string
  /** Whether an operator should be told that another cropper may have been meant. */
  isDoubtful: boolean
}

/** The choice, or what is wrong with the configuration and what remedies it, as a sentence. */
export function chooseCropper(input: ChoiceInput): { choice: Choice } | { problem: string } {
  const { boxes, cropper } = input
  const dialect = boxes === null ? null : dialectNamed(boxes)
  if (boxes !== null && dialect === null)
    return { problem: `CROPPER_BOXES is "${boxes}"; set it to one of ${DIALECT_NAMES.join(', ')}, or unset it.` }
  const settings = { ...input, boxes: dialect }
  return cropper === null ? byWhatIsSet(settings) : outright(cropper, settings)
}

type Chosen = ReturnType<typeof chooseCropper>

/** The input, with the dialect that `CROPPER_BOXES` names in place of its name. */
type Settings = Omit<ChoiceInput, 'boxes'> & { boxes: Dialect | null }

function outright(cropper: CropperName, { model, baseUrl, boxes, targetModel, targetProfile }: Settings): Chosen {
  const why = `CROPPER is ${cropper}`
  switch (cropper) {
    case 'text':
      return plain('text', why)
    case 'onnx':
    case 'attention':
      return model === null
        ? { problem: `${why}, but CROPPER_MODEL is not set; set it to a model folder, like models/cropvlm-mini.` }
        : plain(cropper, why)
    case 'openai':
      return baseUrl === null ? missingUrl(why) : openai(model, boxes, why)
    case 'target':
      return targetModel === null
        ? {
            problem: `${why}, but the default target is not an endpoint; set TARGET_BASE_URL and TARGET_MODEL, or another CROPPER.`,
          }
        : endpoint('target', targetModel, boxes ?? targetDialect(targetModel, targetProfile), why)
  }
}

function byWhatIsSet({ model, baseUrl, boxes, targetModel, targetProfile }: Settings): Chosen {
  if (baseUrl !== null) return openai(model, boxes, 'CROPPER_BASE_URL is set')
  if (model !== null) return plain('onnx', 'CROPPER_MODEL is a model folder')
  if (targetModel === null)
    return boxes === null
      ? plain('text', 'no cropper is configured')
      : {
          problem:
            'CROPPER_BOXES is set, but no endpoint that it could be about; set CROPPER_BASE_URL and CROPPER_MODEL, or TARGET_BASE_URL and TARGET_MODEL.',
        }
  if (boxes !== null) return endpoint('target', targetModel, boxes, 'CROPPER_BOXES says how the default target points')
  const dialect = targetDialect(targetModel, targetProfile)
  if (dialect) return endpoint('target', targetModel, dialect, `the default target's model can point`)
  return {
    choice: {
      cropper: 'text',
      dialect: null,
      why: `how the default target's model "${targetModel}" writes boxes is not known: set CROPPER_BOXES to one of ${DIALECT_NAMES.join(', ')}, CROPPER_MODEL to a model folder, or CROPPER_BASE_URL to an endpoint`,
      isDoubtful: true,
    },
  }
}

function targetDialect(model: string, profile: string | null = null): Dialect | null {
  return dialectOfModel(model) ?? (profile === null ? null : dialectNamed(profile))
}

function openai(model: string | null, boxes: Dialect | null, why: string): Chosen {
  if (model !== null) return endpoint('openai', model, boxes, why)
  return {
    problem: `${why}, but CROPPER_MODEL is not; set it to the endpoint's name of the model that finds the boxes.`,
  }
}

/** An endpoint that was asked for is asked in words where its dialect is not known. */
function endpoint(cropper: 'openai' | 'target', model: string, boxes: Dialect | null, why: string): Chosen {
  const dialect = boxes ?? dialectOfModel(model)
  if (dialect) return { choice: { cropper, dialect, why, isDoubtful: false } }
  const unknown = `how "${model}" writes boxes is not known, so it is asked in words (set CROPPER_BOXES to one of ${DIALECT_NAMES.join(', ')} where it has a dialect)`
  return { choice: { cropper, dialect: generic, why: `${why}; ${unknown}`, isDoubtful: true } }
}

function plain(cropper: CropperName, why: string): Chosen {
  return { choice: { cropper, dialect: null, why, isDoubtful: false } }
}

function missingUrl(why: string): Chosen {
  return {
    problem: `${why}, but CROPPER_BASE_URL is not set; set it to an OpenAI-compatible endpoint, up to and with /v1, or CROPPER to target where the target finds the boxes.`,
  }
}
