/** The request of an entry, to be copied in three languages. */
import { byId } from '../dom.js'
import { addressOf } from '../request/api.js'
import { storedKey } from '../request/key.js'
import { SNIPPETS } from '../request/snippets.js'

/** What is written now. @type {{ file: string, question: import('../request/api.js').Question } | null} */
let shown = null

/** Call once. */
export function listenToCode() {
  for (const radio of radios()) radio.onchange = write
  const button = byId('copy', HTMLButtonElement)
  button.onclick = async () => {
    button.textContent = (await copied(byId('snippet', HTMLPreElement))) ? 'Copied' : 'Press Ctrl+C'
    button.addEventListener('blur', reset, { once: true })
  }
  const reset = () => {
    button.textContent = 'Copy'
  }
}

/** @param {string} file @param {import('../request/api.js').Question} question */
export function showCode(file, question) {
  shown = { file, question }
  byId('copy', HTMLButtonElement).textContent = 'Copy'
  write()
}

function write() {
  if (!shown) return
  const hasKey = storedKey() !== null
  const language = /** @type {import('../request/snippets.js').Language} */ (
    radios().find(({ checked }) => checked)?.value
  )
  byId('snippet', HTMLPreElement).textContent = SNIPPETS[language]({ ...shown, url: addressOf('answer'), hasKey })
  byId('key-hint', HTMLSpanElement).hidden = !hasKey
}

function radios() {
  return [...document.querySelectorAll('input[name=language]')].filter(one => one instanceof HTMLInputElement)
}

/**
 * Copies a text; where the browser allows that to no script, as over plain HTTP, it is selected for the person to copy.
 * @param {HTMLElement} element
 */
async function copied(element) {
  getSelection()?.selectAllChildren(element)
  if (!navigator.clipboard) return document.execCommand('copy')
  return await navigator.clipboard.writeText(element.textContent ?? '').then(
    () => true,
    () => false,
  )
}
