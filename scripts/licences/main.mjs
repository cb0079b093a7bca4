/**
 * `npm run licences`: lists the licence of each package that an installation of the service brings, by package-lock.json, for
 * every system; with `--trainer`, of those that the trainer in trainer/.venv needs to run. Fails where a licence is unknown or
 * asks for more than its text to be kept, and NOTICE does not name the package with it. In NOTICE such a line is
 * `<package or pattern with *>: <licence as the package states it>`, with `pip/` before a package of the trainer.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** They ask that their text and copyright lines stay with the copies, as they do in node_modules and in site-packages. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BlueOak-1.0.0',
  'BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'CC0-1.0',
  'CNRI-Python',
  'ISC',
  'MIT',
  'MIT-0',
  'MIT-CMU',
  'PSF-2.0',
  'Unlicense',
  'Zlib',
])
const PIP = 'pip/'

const isTrainer = process.argv.includes('--trainer')
const noted = readFileSync('NOTICE', 'utf8')
  .split('\n')
  .map(line => /^ {2}(\S+): (.+)$/.exec(line))
  .flatMap(match => (match === null ? [] : [{ pattern: match[1], licence: match[2], used: false }]))
  .filter(({ pattern }) => pattern.startsWith(PIP) === isTrainer)

const found = isTrainer ? pipPackages() : npmPackages()
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

function npmPackages() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version, license = 'unknown' }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: String(license),
    }))
}

function pipPackages() {
  const python = fileURLToPath(new URL('../../trainer/.venv/bin/python', import.meta.url))
  if (!existsSync(python)) {
    console.error('trainer/.venv is not there; sh trainer/setup.sh makes it')
    process.exit(1)
  }
  const { stdout } = spawnSync(python, [fileURLToPath(new URL('pip.py', import.meta.url))], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // what torch brings where it is built for CUDA is under NVIDIA's own terms, as NOTICE says
  const packages = JSON.parse(stdout).filter(({ name }) => !/^(nvidia|cuda)-/.test(name))
  return packages.map(one => ({ ...one, name: PIP + one.name }))
}

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
