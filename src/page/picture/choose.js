/** The ways to hand over a picture: a file, a drop, the clipboard, an example. */
import { byId, make } from '../dom.js'

/** Beside this file, each with a question that it answers. `scripts/examples.mjs` draws them. */
const EXAMPLES = [
  { file: 'receipt.png', title: 'Receipt', question: 'What is the total?' },
  { file: 'departures.webp', title: 'Departures', question: 'Which train goes to Innsbruck?' },
  { file: 'sign.webp', title: 'Road sign', question: 'How far is it to Ashby Cross?' },
]

/** The example that was chosen last. */
let chosen = ''

/**
 * Listens for pictures.
 * @param {(file: File) => void} onFile
 * @param {(file: File, question: string) => void} onExample
 * @param {(error: unknown) => void} onFailure an example cannot be fetched
 */
export function listenForPictures(onFile, onExample, onFailure) {
  const input = byId('file', HTMLInputElement)
  for (const id of ['choose', 'change']) byId(id, HTMLButtonElement).onclick = () => input.click()
  input.onchange = () => {
    const [file] = input.files ?? []
    // the same file may be chosen again, after it was changed
    if (file) onFile(file)
    input.value = ''
  }
  listenForDrops(onFile)
  document.addEventListener('paste', ({ clipboardData }) => {
    const [file] = clipboardData?.files ?? []
    if (file) onFile(file)
  })
  byId('examples', HTMLUListElement).append(...EXAMPLES.map(example => exampleItem(example, onExample, onFailure)))
}

/** Anywhere on the page: a picture that misses the frame would otherwise replace the page. */
function listenForDrops(/** @type {(file: File) => void} */ onFile) {
  const { classList } = byId('stage', HTMLDivElement)
  const isFile = (/** @type {DragEvent} */ { dataTransfer }) => dataTransfer?.types.includes('Files') ?? false
  document.addEventListener('dragover', event => {
    if (!isFile(event)) return
    event.preventDefault()
    classList.add('over')
  })
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) classList.remove('over')
  })
  document.addEventListener('drop', event => {
    classList.remove('over')
    if (!isFile(event)) return
    event.preventDefault()
    const [file] = event.dataTransfer?.files ?? []
    if (file) onFile(file)
  })
}

/**
 * @param {typeof EXAMPLES[number]} example
 * @param {(file: File, question: string) => void} onExample
 * @param {(error: unknown) => void} onFailure
 */
function exampleItem({ file, title, question }, onExample, onFailure) {
  const url = new URL(`../examples/${file}`, import.meta.url).href
  const button = make(
    'button',
    { type: 'button', class: 'example' },
    make('img', { src: url, alt: '', width: '120', height: '80' }),
    make('span', { class: 'title' }, title),
    make('span', { class: 'hint' }, question),
  )
  button.onclick = () => {
    chosen = file
    fetch(url)
      .then(response => response.blob())
      .then(blob => {
        // another one may have been chosen while this one was fetched
        if (chosen === file) onExample(new File([blob], file, { type: blob.type }), question)
      })
      .catch(onFailure)
  }
  return make('li', {}, button)
}
