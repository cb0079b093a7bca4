/** `cropvlm crop`: prints the box for a question about each image. */
import { eachImage } from '../ask/each-image.js'
import { IMAGE_ARGUMENTS, readAsked } from '../ask/images.js'
import { QUESTION_OPTION, ZOOM_OPTIONS, zoomOptions } from '../ask/options.js'
import { pictureFiles } from '../ask/pictures.js'
import { connect, SERVICE_OPTIONS } from '../connect.js'
import { count } from '../program.js'
import { command } from '../spec.js'

export const crop = command({
  name: 'crop',
  summary: 'Prints the box of the region that helps to answer a question.',
  details: `On a terminal it is written for people; elsewhere a line for each image and question has, with tabs between them:
file, box in per cent (x1 y1 x2 y2), box in pixels, decision, confidence, reason, question.`,
  arguments: IMAGE_ARGUMENTS,
  options: {
    question: QUESTION_OPTION,
    overlay: {
      value: 'PATH',
      meaning: 'Writes the image with the box drawn: to a .jpg, .png or .webp file; of several images, to a folder.',
    },
    crop: { value: 'PATH', meaning: 'Writes the region, cut from the original pixels, as --overlay does.' },
    json: { meaning: 'Prints replies of the API, one a line, each with its file and question.' },
    ...ZOOM_OPTIONS,
    ...SERVICE_OPTIONS,
  },
  examples: [
    ['crop page.png "What is the total?"', 'Prints the box.'],
    ['crop page.png "What is the total?" --overlay box.jpg', 'Writes the page with the box drawn, too.'],
    ['crop *.png --question "Who?" --question "When?" --json', 'Asks both about each image, which is read once.'],
  ],
  async run(args, options, world) {
    const timeoutMs = 1000 * count('--timeout', options.timeout)
    const request = zoomOptions(options)
    const { images, questions } = await readAsked('crop', args, options.question, world)
    const number = images.length * questions.length
    const pictures = []
    for (const kind of ['overlay', 'crop'] as const) {
      const path = options[kind]
      if (path !== undefined) pictures.push({ kind, placeOf: await pictureFiles(`--${kind}`, path, number, world) })
    }
    const { askCrop } = await import('../ask/crop.js')
    const { client, close } = await connect(options.url, timeoutMs, world)
    try {
      const task = { questions, pictures, json: options.json, client, options: request }
      return await eachImage(images, world, image => askCrop(image, task, world))
    } finally {
      await close()
    }
  },
})
