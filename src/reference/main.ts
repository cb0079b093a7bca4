/** `npm run docs`: writes what the schemas and tables say into the pages of docs/reference. */
import { readFileSync, writeFileSync } from 'node:fs'
import { pages } from './pages.js'

for (const { file, write } of await pages()) writeFileSync(file, write(readFileSync(file, 'utf8')))
