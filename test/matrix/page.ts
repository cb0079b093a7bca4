/** The page of the documentation with the table, made from the rows, so that it says what is run. */
import { ROWS } from './rows.js'

/** From the root of the repository. */
export const PAGE = 'docs/project/faults.md'

const HEAD = `# What happens when something goes wrong

Each row is a fault that is brought about, and what the service does then. \`npm run matrix\` runs all of them against the
compiled service: it checks the status, the code, the envelope of the error and the time, and afterwards that a good
request gets the same box as before, that the same processes run, that no descriptor was lost and that no process has
grown. \`npm test\` runs the rows that are quick, and has tests of its own for the others
(\`test/matrix/covered.ts\` names them). This table is written by \`npm run matrix -- --docs\`.

\`npm run corpus -- FOLDER...\` sends every file of some folders as an image, and counts the replies.

| | fault | what the service does |
|---|---|---|
`

export function pageText(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '\\<')
  const lines = ROWS.map(({ number, fault, behaviour }) => `| ${number} | ${cell(fault)} | ${cell(behaviour)} |\n`)
  return HEAD + lines.join('')
}
