/** The table of all commands, in the order in which `--help` shows them. */
import type { CommandSpec } from '../spec.js'
import { batch } from './batch.js'
import { crop } from './crop.js'
import { report } from './report.js'

export const COMMANDS: readonly CommandSpec[] = [crop, batch, report]
