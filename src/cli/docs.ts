/** `npm run docs`: writes what the schemas say into the README. */
import { readFileSync, writeFileSync } from 'node:fs'
import { withConfiguration } from '../config/documentation.js'

const README = new URL('../../README.md', import.meta.url)

writeFileSync(README, withConfiguration(readFileSync(README, 'utf8')))
