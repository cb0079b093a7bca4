/** `cropvlm answer`: prints a target's answer to a question about each image. */
import type { AnswerRequest } from '../../client/client.js'
import { eachImage } from '../ask/each-image.js'
import { IMAGE_ARGUMENTS, readAsked } from '../ask/images.js'
import { QUESTION_OPTION, ZOOM_OPTIONS, zoomOptions } from '../ask/options.js'
import { connect, SERVICE_OPTIONS } from '../connect.js'
import { count } from '../program.js'
import { command } from '../spec.js'

export const answer = command({
  name: 'answer',
  summary: 'Prints the answer of a target VLM that gets the image and the region that helps.',
  details: `The answer goes to stdout, and what is to be known about it to stderr. Of several images or questions, a line of stdout has,
with tabs between them: file, question, answer.`,
  arguments: IMAGE_ARGUMENTS,
  options: {
    question: QUESTION_OPTION,
    target: { value: 'NAME', meaning: 'Which target answers. Default: the first that is configured.' },
    mode: {
      value: 'MODE',
      choices: ['zoom', 'full', 'crop'],
      meaning: 'What it sees: zoom is the full image and the crop, full has no crop, crop is the crop alone.',
    },
    compare: { meaning: 'Also asks with the full image alone, and tells on stderr what that gives.' },
    'max-tokens': { value: 'N', meaning: 'Most tokens of an answer. Default: 64.' },
    json: { meaning: 'Prints replies of the API, one a line, each with its file and question.' },
    ...ZOOM_OPTIONS,
    ...SERVICE_OPTIONS,
  },
  examples: [
    ['answer page.png "What is the total?"', 'Prints the answer.'],
    ['answer page.png "What is the total?" --compare', 'And tells what the target says without the crop.'],
  ],
  async run(args, options, world) {
    const { target, mode, compare, 'max-tokens': maxTokens, json } = options
    const timeoutMs = 1000 * count('--timeout', options.timeout)
    const request: Omit<AnswerRequest, 'image' | 'question'> = {
      ...zoomOptions(options),
      ...(target === undefined ? {} : { target }),
      // the parser takes no others
      ...(mode === undefined ? {} : { mode: mode as NonNullable<AnswerRequest['mode']> }),
      ...(maxTokens === undefined ? {} : { max_tokens: count('--max-tokens', maxTokens) }),
      ...(compare ? { compare } : {}),
    }
    const { images, questions } = await readAsked('answer', args, options.question, world)
    const { askAnswer } = await import('../ask/answer.js')
    const { client, close } = await connect(options.url, timeoutMs, world)
    try {
      const several = images.length * questions.length > 1
      const task = { questions, several, json, client, options: request }
      return await eachImage(images, world, image => askAnswer(image, task, world))
    } finally {
      await close()
    }
  },
})
