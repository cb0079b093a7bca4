/** A request of the page as a command or a program to copy. Pure: texts in, text out. */
import { fieldsOf } from './api.js'

/** @typedef {{ url: string, file: string, question: import('./api.js').Question, hasKey: boolean }} Request */
/** @typedef {'curl' | 'python' | 'javascript'} Language */

/** @type {Record<Language, (request: Request) => string>} */
export const SNIPPETS = { curl, python, javascript }

/** A text in single quotes, as a POSIX shell reads it. */
const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", "'\\''")}'`

/** A text in double quotes, as JavaScript, Python and JSON read it. */
const literal = (/** @type {unknown} */ text) => JSON.stringify(text)

/** @param {Request} request */
function curl({ url, file, question, hasKey }) {
  // inside curl's own double quotes, so that a comma or a semicolon is part of the name
  const name = file.replace(/["\\]/g, '\\$&')
  return [
    `curl ${quoted(url)}`,
    ...(hasKey ? ['-H "Authorization: Bearer $API_KEY"'] : []),
    `-F ${quoted(`image=@"${name}"`)}`,
    // --form-string, for -F reads a text that begins with @ or < as the name of a file
    ...fieldsOf(question).map(([field, value]) => `--form-string ${quoted(`${field}=${value}`)}`),
  ].join(' \\\n  ')
}

/** @param {Request} request */
function python({ url, file, question, hasKey }) {
  const fields = fieldsOf(question).map(([field, value]) => {
    const written = field === 'box' ? `[${question.box?.join(', ')}]` : value === true ? 'True' : literal(value)
    return `    ${literal(field)}: ${written},`
  })
  const headers = [
    '"Content-Type": "application/json"',
    ...(hasKey ? ['"Authorization": "Bearer " + os.environ["API_KEY"]'] : []),
  ]
  return [
    'import base64',
    'import json',
    ...(hasKey ? ['import os'] : []),
    'import urllib.request',
    '',
    `with open(${literal(file)}, "rb") as file:`,
    '    image = base64.b64encode(file.read()).decode()',
    'body = {',
    '    "image": image,',
    ...fields,
    '}',
    'request = urllib.request.Request(',
    `    ${literal(url)},`,
    '    data=json.dumps(body).encode(),',
    `    headers={${headers.join(', ')}},`,
    ')',
    'with urllib.request.urlopen(request) as response:',
    '    print(json.dumps(json.load(response), indent=2))',
  ].join('\n')
}

/** @param {Request} request */
function javascript({ url, file, question, hasKey }) {
  return [
    "import { readFile } from 'node:fs/promises'",
    '',
    'const form = new FormData()',
    `form.set('image', new Blob([await readFile(${literal(file)})]), ${literal(file)})`,
    ...fieldsOf(question).map(([field, value]) => `form.set('${field}', ${literal(String(value))})`),
    `const response = await fetch(${literal(url)}, {`,
    "  method: 'POST',",
    ...(hasKey ? ['  headers: { authorization: `Bearer $' + '{process.env.API_KEY}` },'] : []),
    '  body: form,',
    '})',
    'console.log(JSON.stringify(await response.json(), null, 2))',
  ].join('\n')
}
