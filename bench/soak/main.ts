/** `npm run soak`: whether the service is steady under everything at once. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EXIT, runCommand } from '../../src/cli/command.js'
import { HELP, readOptions } from './options.js'
import { report } from './report.js'
import { soak } from './soak.js'
import { summarise } from './summary.js'

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options === null) {
    process.stdout.write(HELP)
    return 0
  }
  await mkdir(dirname(options.csv), { recursive: true })
  const result = await soak({ ...options, log: line => process.stderr.write(`${line}\n`) })
  const summary = summarise(result)
  process.stdout.write(report(result, summary))
  process.stdout.write(`samples: ${options.csv}; the service's log: ${options.serviceLog}\n`)
  return summary.problems.length === 0 ? 0 : EXIT.failed
})
