import { Environment, Template } from '@huggingface/jinja'
import { BoundedInterpreter } from './bounded-interpreter.js'

/** Most numbers of one `range` in a template. */
const MAX_RANGE = 10_000

/** The library has the date only for templates that it renders itself. */
const NOW = new Template('{{ strftime_now(format) }}')

/** What a template may refer to beside its values, as transformers 5.18 and the library have it. */
const GLOBALS = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range: boundedRange,
  strftime_now: (format: string) => NOW.render({ format }),
  raise_exception: (message: string) => {
    throw new Error(message)
  },
}

/**
 * Renders a Jinja template that a stranger wrote. What it makes in memory is bounded; its time is not.
 * @param text What a user wrote: the longer it is, the more may be made.
 * @throws Error the template is wrong, fails, or makes too much
 */
export function renderTemplate(template: string, values: Readonly<Record<string, unknown>>, text: string): string {
  const environment = new Environment()
  for (const [name, value] of Object.entries({ ...GLOBALS, ...values })) environment.set(name, value)
  const { parsed } = new Template(template)
  return String(new BoundedInterpreter(environment, text.length).run(parsed).value)
}

/** Python's `range`, bounded. */
function boundedRange(...numbers: number[]): number[] {
  const [first = 0, second, step = 1] = numbers
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (!(length <= MAX_RANGE))
    throw new Error(`the chat template makes a range of ${length}; at most ${MAX_RANGE} are made`)
  return Array.from({ length }, (_, i) => start + i * step)
}
