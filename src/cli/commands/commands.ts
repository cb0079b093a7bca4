/** The table of all commands, in the order in which `--help` shows them. */
import type { CommandSpec } from '../spec.js'
import { crop } from './crop.js'

export const COMMANDS: readonly CommandSpec[] = [crop]
