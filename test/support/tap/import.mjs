/**
 * Makes Node run TypeScript: `node --import` it, as package.json's settings of tap do. tap's own way would load TypeScript
 * twice in each of some hundred test processes, and transpile there whatever it imports, much of the service in many.
 * TAP_TYPE_STRIP_ONLY, which is set beside it, tells tap that nothing is left to transpile.
 */
import { register } from 'node:module'
import processOnSpawn from 'process-on-spawn'

register('./hooks.mjs', import.meta.url)

// In each Node process that a test starts tap would record what it imports, for a coverage that nobody asks for here, and offer
// its mocks. That doubles the time in which the service starts.
processOnSpawn.removeAllListeners()
process.execArgv = process.execArgv.filter(argument => !argument.includes('/@tapjs/'))
