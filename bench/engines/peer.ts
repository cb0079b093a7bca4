/** The engines that others made, each a child process that speaks `trainer/bench/peer.py`'s protocol. */
import { join } from 'node:path'
import { PYTHON } from '../python.js'
import { ROOT } from '../root.js'
import { LineChild } from '../system/line-child.js'
import { processTree } from '../system/proc.js'
import type { Answer, Engine, EngineName } from './engine.js'

export type Device = 'cpu' | 'cuda'

export interface PeerOptions {
  name: Exclude<EngineName, 'cropvlm'>
  precision: string
  /** The checkpoint (transformers) or the folder in the hub's layout (transformers.js). */
  folder: string
  device: Device
}

/**
 * Starts a peer and waits until its model is loaded.
 * @throws Error: it ended before that
 */
export async function startPeer(options: PeerOptions): Promise<Engine> {
  const [command, args] = commandOf(options)
  const child = new LineChild(command, args)
  const { version } = (await child.next()) as { version: string }
  return {
    name: options.name,
    precision: options.precision,
    version,
    async ask({ image, question, resolution, newTokens }) {
      child.say({ image, question, resolution, new_tokens: newTokens })
      const answer = (await child.next()) as Answer
      if (answer.tokens !== newTokens)
        throw new Error(`${options.name} ${options.precision} made ${answer.tokens} tokens, not ${newTokens}`)
      return answer
    },
    pids: () => processTree(child.pid),
    close: () => child.close(),
  }
}

function commandOf({ name, precision, folder, device }: PeerOptions): [string, string[]] {
  if (name === 'transformers')
    return [PYTHON, [join(ROOT, 'trainer/bench/peer.py'), folder, '--dtype', precision, '--device', device]]
  return [process.execPath, [join(ROOT, 'bench/transformers-js/peer.mjs'), folder, precision, device]]
}
