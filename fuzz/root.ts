import { fileURLToPath } from 'node:url'

/** The folder `fuzz/`, whether this runs from source or compiled into `fuzz/.build/fuzz/`. */
export const FUZZ = fileURLToPath(new URL(import.meta.url.includes('/.build/') ? '../..' : '.', import.meta.url))
  // without the slash at its end
  .replace(/\/$/, '')

/** What a run writes: the corpus, logs, finds, and what it has fetched. */
export const CACHE = `${FUZZ}/.cache`
