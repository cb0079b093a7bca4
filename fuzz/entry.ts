/** The module that Jazzer.js loads: the target that `FUZZ_TARGET` names, held to its bounds. */
import { bounded } from './bounded.js'
import { targetNamed } from './targets.js'

const target = await targetNamed(process.env.FUZZ_TARGET ?? '')

export const fuzz = (input: Buffer) => bounded(target, input)
