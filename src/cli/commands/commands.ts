/** The table of all commands, in the order in which `--help` shows them. */
import type { CommandEntry } from '../spec.js'
import { answer } from './answer.js'
import { batch } from './batch.js'
import { crop } from './crop.js'
import { evalCommand } from './eval.js'
import { mcp } from './mcp.js'
import { modelsCommand } from './models.js'
import { report } from './report.js'
import { serve } from './serve.js'

export const COMMANDS: readonly CommandEntry[] = [serve, crop, answer, batch, evalCommand, report, modelsCommand(), mcp]
