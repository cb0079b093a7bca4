/** What runs here, told in the head of the page, and the choice of a target. */
import { byId, make } from './dom.js'
import { getInfo, Problem } from './request/api.js'
import { askForKey, storedKey } from './request/key.js'

/** The service's default, until it has told its own. */
const MAX_PIXELS = 50_000_000

/** @type {import('./request/api.js').Info | null} */
let known = null

/** Asks the service what it is. A person may decline to give a key here, and is asked again with the first question. */
export async function loadService() {
  const line = byId('service', HTMLParagraphElement)
  try {
    known = await getInfo()
  } catch (error) {
    line.textContent = error instanceof Problem ? error.message : String(error)
    return
  }
  const { cropper, models, targets, version } = known
  const [model] = models.filter(({ role }) => role === 'cropper')
  const by = cropper.model ?? model?.id
  const boxes = make(
    'span',
    {},
    `Boxes by ${cropper.name === 'text' ? 'the text reader' : by ? `${by} (${cropper.name})` : cropper.name}`,
  )
  if (cropper.reason !== null) boxes.title = cropper.reason
  const answers = targets.length === 1 ? [make('span', {}, `Answers by ${targets[0]?.model}`)] : []
  line.replaceChildren(boxes, ...answers, make('span', {}, `Version ${version}`))
  const select = byId('target', HTMLSelectElement)
  select.replaceChildren(
    ...targets.map(target => make('option', { value: target.name }, `${target.name} (${target.model})`)),
  )
  byId('target-line', HTMLLabelElement).hidden = targets.length < 2
  showKeyButton()
}

/** The button is there where a key is in use, to change it. */
export function showKeyButton() {
  const button = byId('key-change', HTMLButtonElement)
  button.hidden = storedKey() === null
  button.onclick = async () => {
    if (await askForKey('Give another key, or keep the one you gave.')) await loadService()
  }
}

/** The target that was chosen; null for the default where there is no choice. */
export function chosenTarget() {
  const { value } = byId('target', HTMLSelectElement)
  return known !== null && known.targets.length > 1 ? value : null
}

/** Largest picture that the service takes. */
export function maxPixels() {
  return known?.limits.pixels ?? MAX_PIXELS
}

/** Whether the service has told what it is; before its models have loaded, it tells only a part. */
export function isKnown() {
  if (known === null) return false
  const { models, reader, cropper } = known
  return models.length > 0 || reader !== null || cropper.model !== null
}
