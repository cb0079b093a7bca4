/** The site of the documentation builds; VitePress refuses links that lead nowhere. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { ROOT } from './documents.js'

t.setTimeout(240_000)

t.test('npm run site', async t => {
  const out = t.testdir()
  execFileSync('npx', ['vitepress', 'build', 'docs', '--outDir', out], { cwd: ROOT, stdio: 'pipe' })
  const page = (name: string) => readFileSync(`${out}/${name}.html`, 'utf8')
  t.match(page('index'), /Your vision-language model cannot read the fine print/)
  t.match(page('reference/api'), /POST \/crop/)
  t.match(page('reference/commands'), /cropvlm batch/)
  t.match(page('train/index'), /cropvlm-trainer/, 'a page from outside of docs/')
})
