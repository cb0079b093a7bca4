/** `npm run docs`: writes what the schemas and the table of commands say into the documentation. */
import { readFileSync, writeFileSync } from 'node:fs'
import { withConfiguration } from '../config/documentation.js'
import { COMMANDS } from './commands/commands.js'
import { reference } from './reference.js'

const README = new URL('../../README.md', import.meta.url)
const REFERENCE = new URL('../../docs/commands.md', import.meta.url)

writeFileSync(README, withConfiguration(readFileSync(README, 'utf8')))
writeFileSync(REFERENCE, reference(COMMANDS))
