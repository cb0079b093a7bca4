import { dirname } from 'node:path'
import { CropVlmError } from '../../errors.js'
import { confined } from './confined.js'
import { REMEDY } from './folder.js'

/**
 * The file that holds weights of a graph, which has to be beside it or in a folder there.
 * @param graph Path of the graph.
 * @param name As the graph calls it.
 * @throws CropVlmError invalid_model, naming both
 */
export function weightFile(graph: string, name: string): { path: string; bytes: number } {
  const found = confined(dirname(graph), name)
  if (!('problem' in found)) return found
  throw new CropVlmError('invalid_model', `${graph}: its weights are in ${name}, which ${found.problem} ${REMEDY}`, {
    cause: found.cause,
  })
}
