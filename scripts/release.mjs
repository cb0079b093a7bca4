/**
 * `npm run release -- 0.2.0`: writes a new version everywhere, from package.json on: the lock file, the images' labels and the
 * compose file's tags, the trainer's pyproject.toml, CITATION.cff, the Open WebUI filter, and the CHANGELOG's heading with today's date. It
 * commits nothing; its last lines say what is left to do. test/release/version.test.ts holds all of them equal.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const next = process.argv[2] ?? ''
const { version: last } = JSON.parse(readFileSync('package.json', 'utf8'))
if (!/^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/.test(next)) {
  console.error(`Give the new version, such as ${last}: npm run release -- ${last}`)
  process.exit(2)
}
const today = new Date().toISOString().slice(0, 10)
const old = last.replaceAll('.', '\\.')
const argument = [[new RegExp(`^ARG VERSION=${old}$`, 'm'), `ARG VERSION=${next}`]]
const EDITS = {
  Dockerfile: argument,
  'docker/gpu.Dockerfile': argument,
  'docker/trainer.Dockerfile': argument,
  'docker-compose.yml': [[new RegExp(`(image: cropvlm[a-z-]*:)${old}$`, 'gm'), `$1${next}`]],
  'trainer/pyproject.toml': [[new RegExp(`^version = "${old}"$`, 'm'), `version = "${next}"`]],
  'CITATION.cff': [
    [new RegExp(`^version: ${old}$`, 'm'), `version: ${next}`],
    [/^date-released: .*$/m, `date-released: ${today}`],
  ],
  'integrations/open_webui_zoom.py': [[new RegExp(`^version: ${old}$`, 'm'), `version: ${next}`]],
  'CHANGELOG.md': [[/^## \S+ \(unreleased\)$/m, `## ${next} (${today})`]],
}

// all or nothing: a file that does not say what is looked for stops it before any is written
const texts = Object.entries(EDITS).map(([file, edits]) => {
  let text = readFileSync(file, 'utf8')
  for (const [pattern, replacement] of edits) {
    if (text.search(pattern) < 0) {
      console.error(`${file} has nothing that matches ${pattern}; nothing was changed.`)
      process.exit(1)
    }
    text = text.replace(pattern, replacement)
  }
  return [file, text]
})
for (const [file, text] of texts) writeFileSync(file, text)
execFileSync('npm', ['version', next, '--no-git-tag-version', '--allow-same-version'], { stdio: 'ignore' })
console.log(`${last} -> ${next} in package.json, package-lock.json, ${Object.keys(EDITS).join(', ')}.
Now: git commit -am ${next} && git tag v${next} && git push origin HEAD v${next}
The tag has .github/workflows/release.yml build the images and publish the package.
Work goes on under a new heading of CHANGELOG.md, such as "## ${next}+ (unreleased)".`)
