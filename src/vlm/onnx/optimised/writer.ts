/**
 * The program that `run-writer.ts` runs in a process of its own. It optimises the graph named by the first argument into the
 * empty folder named by the second, for its parent, whose pid is the third. If that fails, it sends the error's message to
 * its parent and exits with code 1.
 */
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { endWithParent } from '../../../process/end-with-parent.js'
import { saveOptimised } from '../session.js'
import { alignGraph } from './align.js'
import { DATA, GRAPH, seal } from './entry.js'

const [file = '', folder = '', parent] = process.argv.slice(2)
// then nobody waits for the result any more
endWithParent(Number(parent), folder)
const [graph, data] = [join(folder, GRAPH), join(folder, DATA)]
try {
  await saveOptimised(file, graph, DATA)
  if (existsSync(data) && (await alignGraph(graph, data, `${data}.aligned`))) await rename(`${data}.aligned`, data)
  await seal(folder)
  process.exit(0)
} catch (error) {
  process.send?.(error instanceof Error ? error.message : String(error), () => process.exit(1))
}
