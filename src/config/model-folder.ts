/** Where a model folder is that a setting names: in the working folder, or among the models that the package brings. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's own folder, or the checkout's. */
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))

/** The models that the package brings. */
export const BUNDLED_MODELS = join(PACKAGE, 'models')

/**
 * The folder that `text` names, absolute. A relative path is looked for in the working folder, then in the package, so that
 * models/cropvlm-mini is found wherever the package is installed; where neither has it, it is the working folder's.
 */
export function modelFolder(text: string): string {
  const here = resolve(text.startsWith('~/') ? join(homedir(), text.slice(2)) : text)
  if (isAbsolute(text) || existsSync(here)) return here
  const bundled = join(PACKAGE, text)
  return existsSync(bundled) ? bundled : here
}

/** A sentence for each of these folders that does not exist. */
export function missingFolders(folders: Iterable<string>): string[] {
  const nowhere = [...new Set(folders)].filter(folder => !existsSync(folder))
  return nowhere.map(folder => {
    const elsewhere = folder.startsWith(resolve()) ? `, nor one of that path in the package (${PACKAGE})` : ''
    return `There is no model folder ${folder}${elsewhere}; name one that is there, or fetch one with \`cropvlm models pull\`.`
  })
}

/** Those of these folders that are the package's, where the working folder is another. */
export function bundledFolders(folders: Iterable<string>): string[] {
  const isElsewhere = resolve('models') !== BUNDLED_MODELS
  return [...new Set(folders)].filter(folder => isElsewhere && folder.startsWith(join(BUNDLED_MODELS, '/')))
}
