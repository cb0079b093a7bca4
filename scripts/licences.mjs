/**
 * `npm run licences`: lists the licence of each package that an installation of the service brings, by package-lock.json, for
 * every system. Fails where a licence is unknown or asks for more than its text to be kept, and NOTICE does not name the
 * package with it. In NOTICE such a line is `<package or pattern with *>: <licence as the package states it>`.
 */
import { readFileSync } from 'node:fs'

/** They ask that their text and copyright lines stay with the copies, as they do in node_modules. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
])

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const noted = readFileSync('NOTICE', 'utf8')
  .split('\n')
  .map(line => /^ {2}(\S+): (.+)$/.exec(line))
  .flatMap(match => (match === null ? [] : [{ pattern: match[1], licence: match[2], used: false }]))

const found = Object.entries(packages)
  .filter(([path, { dev }]) => path !== '' && !dev)
  .map(([path, { version, license = 'unknown' }]) => ({
    name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version,
    licence: String(license),
  }))
const lines = new Map(found.map(one => [`${one.licence}\t${one.name}@${one.version}`, one]))
const problems = []
for (const [line, { name, licence }] of [...lines].sort()) {
  console.log(line)
  if (isPermissive(licence)) continue
  const note = noted.find(({ pattern, licence: said }) => covers(pattern, name) && said === licence)
  if (note) note.used = true
  else problems.push(`${name} is under "${licence}": add the line "  ${name}: ${licence}" to NOTICE, or do without it.`)
}
for (const { pattern, used } of noted)
  if (!used) problems.push(`NOTICE names ${pattern}, which no installation brings.`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

/** Whether one side of every choice that an SPDX expression gives is permissive; brackets may only hold a choice. */
function isPermissive(expression) {
  return expression.split(' AND ').every(part =>
    part
      .replace(/^\(|\)$/g, '')
      .split(' OR ')
      .some(one => PERMISSIVE.has(one)),
  )
}

function covers(pattern, name) {
  const star = pattern.indexOf('*')
  return star < 0 ? pattern === name : name.startsWith(pattern.slice(0, star)) && name.endsWith(pattern.slice(star + 1))
}
