import t from 'tap'
import { html, raw } from '../../../src/cli/report/html.js'

t.test('texts are escaped, in content and in attributes', async t => {
  const text = `<script>alert("1")</script> & 'x'`
  const escaped = '&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;x&#39;'
  t.equal(html`<p title="${text}">${text}</p>`.text, `<p title="${escaped}">${escaped}</p>`)
})

t.test('HTML, lists and what is left out', async t => {
  const items = ['a', '<b>'].map(item => html`<li>${item}</li>`)
  t.equal(
    html`<ul>${items}${null}${undefined}${false}${0}${raw('<hr>')}</ul>`.text,
    '<ul><li>a</li><li>&#60;b&#62;</li>0<hr></ul>',
  )
})
