/** Chat templates are rendered as the library renders them, and those that would fill the memory are ended before they do. */
import { Template } from '@huggingface/jinja'
import t from 'tap'
import { renderTemplate } from '../../../src/vlm/template/render.js'

const MESSAGES = [
  {
    role: 'user',
    content: [{ type: 'image' }, { type: 'text', text: 'Where is it?' }],
  },
]
const TOOL = { name: 'crop', parameters: { box: [1, 2.5, null, true] } }
const VALUES = { messages: MESSAGES, tool: TOOL, text: 'one two\nthree', bos_token: '<s>' }

t.test('what the library renders is rendered', async t => {
  for (const template of [
    '{{ bos_token }}{% for m in messages %}{{ m.role | upper }}: {% for p in m.content %}{{ p.text | default(" -") | trim }}{% endfor %}{% endfor %}',
    '{% set ns = namespace(n=0) %}{% for i in range(2, 9, 3) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}',
    '{% macro twice(text, end="!") %}{{ text ~ text }}{{ end }}{% endmacro %}{{ twice("a") }}{{ twice("b", end="?") }}',
    '{% macro all() %}{{ varargs | length }}{{ kwargs | length }}{% endmacro %}{{ all(*messages, **tool) }}',
    '{{ tool | tojson }}{{ tool | tojson(indent=2) }}{{ tool.parameters.box | string }}',
    '{{ text.replace("o", "0") }}{{ text | replace("e", "") }}{{ text.split() | join("-") }}{{ text.split("t")[1:] | length }}',
    '{% filter indent(2) %}{{ text }}{% endfilter %}{{ text | indent(3, true) }}{{ text[::-1] }}{{ text["up" ~ "per"]() }}',
    '{% set block %}{{ text }}{{ text }}{% endset %}{{ block | length }}{% if tool.items is defined %}yes{% endif %}',
    '{% macro frame() %}[{{ caller() }}]{% endmacro %}{% call frame() %}in{% endcall %}',
    '{% for m in messages if m.role == "user" %}{{ loop.index }}{{ loop.last }}{% break %}{% else %}none{% endfor %}',
    '{% for k, v in tool.items() %}{{ k }}{% endfor %}{{ True and not False }}{{ None }}{{ none is none }}{{ false }}{{ true }}',
    '{{ strftime_now("%Y") | length }}{{ messages | map(attribute="role") | list | first }}',
  ])
    t.equal(renderTemplate(template, VALUES, 'a'), new Template(template).render(VALUES), template)
  t.throws(() => renderTemplate('{{ raise_exception("only one image") }}', {}, ''), { message: 'only one image' })
})

/** A text of 2^n letters, or a list of 2^n entries, as `ns.a`. */
const doubled = (n: number, start: string, twice = 'ns.a ~ ns.a') =>
  `{% set ns = namespace(a=${start}, b=[]) %}{% for i in range(${n}) %}{% set ns.a = ${twice} %}{% endfor %}`

t.test('what would fill the memory is not', async t => {
  const before = process.resourceUsage().maxRSS
  for (const template of [
    `${doubled(28, "'a'")}{{ ns.a | upper | length }}`,
    `${doubled(28, "'a'", 'ns.a + ns.a')}{{ ns.a | title | length }}`,
    doubled(28, '[1]', 'ns.a + ns.a'),
    `${doubled(30, "['ha']", '[ns.a, ns.a]')}{{ ns.a | tojson }}`,
    `${doubled(30, "['ha']", '{"a": ns.a, "b": ns.a}')}{{ ns.a }}`,
    `${doubled(30, "['ha']", 'namespace(a=[ns.a, ns.a])')}{{ ns.a | tojson }}`,
    '{% set ns = namespace(a=[1]) %}{% for i in range(30) %}{% set ns.a = [ns, ns] %}{% endfor %}{{ ns.a | tojson }}',
    `${doubled(14, "'a'")}{{ ns.a.replace('a', ns.a) }}`,
    `${doubled(14, "'a'")}{{ ns.a | replace('a', ns.a) }}`,
    `${doubled(14, "'a'")}{{ ns.a.replace('', ns.a) }}`,
    `${doubled(14, "'a'")}{{ ns.a['re' ~ 'place']('a', ns.a) }}`,
    `${doubled(14, "'a'")}{{ ns.a.replace(*['a', ns.a]) }}`,
    `${doubled(14, "'a'")}{% set f = ns.a.replace %}{{ f('a', ns.a) }}`,
    `${doubled(14, "'a'")}{% filter replace('a', ns.a) %}{{ ns.a }}{% endfilter %}`,
    `${doubled(14, "'a'")}{{ ns.a | join(ns.a) }}`,
    `${doubled(21, "'a '")}{{ ns.a.split(' ') | length }}`,
    `${doubled(21, "'a '")}{{ ns.a.split() | length }}`,
    '{{ "a" | indent(500000000, true) }}',
    '{{ ["a"] | tojson(indent=500000000) }}',
    `${doubled(20, "'a'")}{% for i in range(9999) %}{% set ns.b = ns.b + [(ns.a ~ i) | upper] %}{% endfor %}`,
    '{% set ns = namespace(a="a") %}{% for i in range(29) %}{% set ns.a %}{{ ns.a }}{{ ns.a }}{% endset %}{% endfor %}{{ ns.a | upper }}',
    `${doubled(15, "'a '")}{% set l = ns.a.split(' ') %}{% for i in range(9999) %}{% for s in l %}{{ s.strip() }}{% endfor %}{% endfor %}`,
    '{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}',
  ])
    t.throws(
      () => renderTemplate(template, VALUES, 'a'),
      { message: /chat template (makes more|names a method)/ },
      template,
    )
  // in KiB
  const grown = (process.resourceUsage().maxRSS - before) / 1024
  t.ok(grown < 200, `${grown} MiB more`)
})

t.test('a longer question may make more', async t => {
  const text = 'word '.repeat(200_000)
  t.equal(renderTemplate('{{ text.split() | length }}', { text }, text), '200000')
  t.throws(() => renderTemplate('{{ text.split() | length }}', { text }, 'a'), {
    message: /makes more than 4194368 letters/,
  })
})
