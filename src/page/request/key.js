/** The service's key: asked for when the service says so, kept in this tab's session storage, sent as a header alone. */
import { byId } from '../dom.js'

const NAME = 'cropvlm-key'

/** @type {Promise<boolean> | null} */
let asking = null

/** The key that a person gave in this tab; null if none was. */
export function storedKey() {
  return sessionStorage.getItem(NAME)
}

/**
 * Shows the dialog. Requests that are refused at the same time share it.
 * @param {string} reason What the service says.
 * @returns {Promise<boolean>} Whether there is another key to be tried.
 */
export function askForKey(reason) {
  asking ??= show(reason).finally(() => {
    asking = null
  })
  return asking
}

/** @param {string} reason */
function show(reason) {
  const dialog = byId('key-dialog', HTMLDialogElement)
  const field = byId('key', HTMLInputElement)
  byId('key-reason', HTMLParagraphElement).textContent = reason
  byId('key-cancel', HTMLButtonElement).onclick = () => dialog.close('cancel')
  field.value = ''
  dialog.returnValue = ''
  byId('key-form', HTMLFormElement).onsubmit = event => {
    event.preventDefault()
    dialog.close('use')
  }
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener(
      'close',
      () => {
        const isGiven = dialog.returnValue === 'use'
        if (isGiven) sessionStorage.setItem(NAME, field.value.trim())
        field.value = ''
        resolve(isGiven)
      },
      { once: true },
    )
  })
}
