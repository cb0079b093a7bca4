import type { ModelFamily } from './family.js'
import type { Json, ModelFolder } from './folder/folder.js'
import { readIdefics3 } from './idefics3/idefics3.js'
import type { OnStep } from './on-step.js'

type ReadFamily = (folder: ModelFolder, config: Json, onStep: OnStep) => Promise<ModelFamily>

/** The families that can be run, by `model_type` in `config.json`. SmolVLM is an Idefics3 of another size. */
const FAMILIES: Readonly<Record<string, ReadFamily>> = { idefics3: readIdefics3, smolvlm: readIdefics3 }

/**
 * Reads what a folder says about images and prompts, as the family of its model has it.
 * @param config `config.json`.
 * @throws CropVlmError invalid_model, naming the file
 */
export async function readFamily(folder: ModelFolder, config: Json, onStep: OnStep): Promise<ModelFamily> {
  const { model_type: type } = config
  const read = typeof type === 'string' && Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined
  if (read) return await read(folder, config, onStep)
  const known = Object.keys(FAMILIES).map(name => `"${name}"`)
  throw folder.fail('config.json', `\`model_type\` is ${JSON.stringify(type)}; only ${known.join(' and ')} can be run.`)
}
