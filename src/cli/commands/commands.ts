/** The table of all commands, in the order in which `--help` shows them. */
import type { CommandEntry } from '../spec.js'
import { answer } from './answer.js'
import { crop } from './crop.js'
import { evalCommand } from './eval.js'
import { modelsCommand } from './models.js'
import { serve } from './serve.js'

export const COMMANDS: readonly CommandEntry[] = [serve, crop, answer, evalCommand, modelsCommand()]
