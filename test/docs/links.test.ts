/** Every link of every page leads to a file of the repository, and to a heading that it has. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { documents, ROOT } from './documents.js'

for (const { path, text } of documents())
  t.test(path, async t => {
    const prose = text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '')
    for (const [, link = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?|mailto):/.test(link)) continue
      const [to = '', anchor] = link.split('#')
      const file = to === '' ? join(ROOT, path) : join(ROOT, dirname(path), to)
      t.ok(existsSync(file), `${link} exists`)
      t.notMatch(relative(ROOT, file), /^\.\./, `${link} stays in the repository`)
      if (anchor !== undefined && existsSync(file))
        t.ok(anchors(readFileSync(file, 'utf8')).has(anchor), `${link} is a heading`)
    }
  })

/** The addresses of a page's headings, as GitHub and VitePress make them of words and spaces. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  )
}
