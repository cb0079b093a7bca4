/** `cropvlm report`: an HTML page of an evaluation. */
import { resolve } from 'node:path'
import { CliError, EXIT } from '../command.js'
import { count } from '../program.js'
import { command } from '../spec.js'

export const report = command({
  name: 'report',
  summary: 'Makes an HTML page of an evaluation: where the crop helped, and where it harmed.',
  details: `FILE is what \`cropvlm eval --out\` writes, or the JSONL of \`cropvlm batch\`, best with --route answer --compare and rows that have "answers". The page is one file with its pictures in it, which needs no network.`,
  arguments: [{ name: 'FILE', meaning: 'The JSON of an evaluation, or the JSONL of a batch.' }],
  options: {
    out: { value: 'FILE', default: 'report.html', meaning: 'The page.' },
    'max-rows': { value: 'N', default: '200', meaning: 'Most pages that are shown, from all sections; 50 kB each.' },
    data: {
      value: 'DIR',
      meaning: 'Where the images are: the folder with manifest.jsonl, or where the paths of a batch begin.',
    },
  },
  examples: [['report eval.json --out report.html', 'Makes the page.']],
  async run([file = ''], { out, data, 'max-rows': maxRows }, world) {
    const at = (path: string) => resolve(world.cwd, path)
    const most = count('--max-rows', maxRows)
    if (at(out) === at(file)) throw new CliError(EXIT.usage, `--out is ${file} itself; give another name.`)
    // loaded here, so that other commands do not wait for the decoder
    const { writeReport } = await import('../report/write.js')
    const options = { maxRows: most, data: data === undefined ? null : at(data), signal: world.signal }
    const { pages, bytes, without } = await writeReport(at(file), at(out), options)
    world.stderr.write(`${out}: ${Math.min(pages, most)} of ${pages} pages, ${(bytes / 1e6).toFixed(1)} MB.\n`)
    if (without > 0)
      world.stderr.write(`${without} have no picture: their files cannot be read. --data says where they are.\n`)
    return 0
  },
})
