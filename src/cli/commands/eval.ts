/** `cropvlm eval`: scores a folder of questions. */
import { SERVICE_OPTIONS } from '../connect.js'
import type { Start } from '../eval/evaluate.js'
import { command } from '../spec.js'

/** @param start Starts a service where no `--url` is given; the bench and tests pass their own. */
export const evaluation = (start: Start) =>
  command({
    name: 'eval',
    summary: 'Scores a folder of questions: answers with and without the crop, boxes, times.',
    details: `The folder holds manifest.jsonl, one page a line:
{"id", "kind", "image", "question", "answers": [...], "box": [x1, y1, x2, y2] in per cent}
Tables go to stdout. The exit status is 1 where a request failed, or --compare-with differs.`,
    arguments: [],
    options: {
      data: { value: 'DIR', meaning: 'The folder.' },
      limit: { value: 'N', meaning: 'Only the first N pages.' },
      concurrency: {
        value: 'N',
        default: '1',
        meaning: 'Requests at a time; with 1, times are those of an idle service.',
      },
      out: { value: 'FILE', meaning: 'Writes the whole report, every page included, as JSON.' },
      'compare-with': {
        value: 'FILE',
        meaning: 'What --out wrote before: tells how many pages have another box or another answer now.',
      },
      target: { value: 'NAME', meaning: 'Which target answers.' },
      resolution: { value: 'N', meaning: 'Longest edge in pixels that the cropper sees.' },
      expand: { value: 'FACTOR', meaning: 'Grows the area of the box.' },
      ...SERVICE_OPTIONS,
      url: {
        value: 'URL',
        meaning: 'A running service; without it one is started as a process of its own, so that times are honest.',
      },
    },
    examples: [['eval --data pages --out report.json', 'Scores the bundled or the configured models.']],
    async run(_args, options, world) {
      const { evaluate } = await import('../eval/evaluate.js')
      return evaluate(options, world, start)
    },
  })

/** The command, with the service of this package. */
export const evalCommand = evaluation(async env => {
  const { startService } = await import('../eval/service.js')
  return startService(env)
})
