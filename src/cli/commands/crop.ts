/** `cropvlm crop`: prints the box for a question about each image. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ClientError } from '../../client/error.js'
import { CliError, EXIT } from '../command.js'
import { connect, SERVICE_OPTIONS } from '../connect.js'
import { count } from '../program.js'
import { command } from '../spec.js'

export const crop = command({
  name: 'crop',
  summary: 'Prints the box of the region that helps to answer a question.',
  arguments: [{ name: 'FILE', meaning: 'JPEG, PNG or WebP images, then the question.', repeated: true }],
  options: SERVICE_OPTIONS,
  examples: [['crop page.png "What is the total?"', 'Prints the box in per cent: x1 y1 x2 y2.']],
  async run(args, { url, timeout }, world) {
    const question = args.at(-1)
    const files = args.slice(0, -1)
    if (question === undefined || files.length === 0)
      throw new CliError(
        EXIT.usage,
        'Give at least one image and then the question: cropvlm crop page.png "What is the total?"',
      )
    const connection = await connect(url, 1000 * count('--timeout', timeout), world)
    let failed = false
    try {
      for (const file of files) {
        try {
          const image = await readFile(resolve(world.cwd, file))
          const { bbox, decision, reason, confidence } = await connection.client.crop(
            { image: new Uint8Array(image), question },
            { signal: world.signal },
          )
          const why = [decision, reason, confidence?.toFixed(2)].filter(Boolean).join(' ')
          world.stdout.write(`${file}\t${bbox.join(' ')}\t${why}\n`)
        } catch (error) {
          if (!(error instanceof ClientError) && (error as NodeJS.ErrnoException).code === undefined) throw error
          failed = true
          world.stderr.write(`${file}: ${(error as Error).message}\n`)
        }
      }
    } finally {
      await connection.close()
    }
    return failed ? EXIT.failed : 0
  },
})
