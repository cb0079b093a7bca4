/**
 * Run as a process of its own, by `graph-cache.ts`: optimises the graph that the first argument names into the empty
 * folder that the second names. Tells what went wrong as a message, and ends with 1.
 */
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { saveOptimised } from '../session.js'
import { alignGraph } from './align.js'
import { DATA, GRAPH, seal } from './entry.js'

// nobody waits for it any more
process.on('disconnect', () => process.exit(1))

const [file = '', folder = ''] = process.argv.slice(2)
const [graph, data] = [join(folder, GRAPH), join(folder, DATA)]
try {
  await saveOptimised(file, graph, DATA)
  if (existsSync(data) && (await alignGraph(graph, data, `${data}.aligned`))) await rename(`${data}.aligned`, data)
  await seal(folder)
  process.exit(0)
} catch (error) {
  process.send?.(error instanceof Error ? error.message : String(error), () => process.exit(1))
}
