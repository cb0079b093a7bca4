import t from 'tap'
import { readImageUrls } from '../../src/config/image-urls.js'
import { readConfig } from '../../src/config/service.js'
import type { CropVlmError } from '../../src/errors.js'

function read(env: Record<string, string>) {
  const problems: string[] = []
  return { urls: readImageUrls(env, problems), problems }
}

t.test('off by default, and with hosts alone', async t => {
  t.strictSame(read({}), { urls: null, problems: [] })
  t.strictSame(read({ IMAGE_URL_HOSTS: 'a.example' }), { urls: null, problems: [] })
  t.equal(readConfig({}).imageUrls, null)
})

t.test('the entries', async t => {
  const hosts = ' Cdn.Example.com , *.example.org:8443,, *, 8.8.8.8:80,[::1]:9,*:81'
  t.strictSame(read({ IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: hosts, IMAGE_URL_TIMEOUT_MS: '500' }), {
    urls: {
      hosts: [
        { name: 'cdn.example.com', below: false, port: null },
        { name: 'example.org', below: true, port: 8443 },
        { name: '', below: true, port: null },
        { name: '8.8.8.8', below: false, port: 80 },
        { name: '[::1]', below: false, port: 9 },
        { name: '', below: true, port: 81 },
      ],
      timeoutMs: 500,
    },
    problems: [],
  })
})

t.test('entries that are refused, at start and each by name', async t => {
  for (const entry of [
    ...[
      'https://a.example',
      'a.example/b',
      'a.example:0',
      'a.example:65536',
      'a.example:x',
      'img*.example.com',
      '*example.com',
    ],
    ...['*.', '*.*.example', '**', '.', 'u@a.example', 'a b', '*.8.8.8.8', '*.[::1]', '::1', '10.0.0.0/8', '1.2.3.4.5'],
  ]) {
    const { urls, problems } = read({ IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: `a.example,${entry}` })
    t.equal(urls, null, entry)
    t.equal(problems.length, 1, entry)
    t.match(problems[0], `IMAGE_URL_HOSTS has ${JSON.stringify(entry)}; each entry must be a host without scheme`)
  }
})

t.test('allow without a host says what to set', async t => {
  for (const hosts of ['', ' ', ',,']) {
    const { urls, problems } = read({ IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: hosts })
    t.equal(urls, null)
    t.match(problems, [
      /IMAGE_URL_HOSTS names no host; set it to .* or to \* for every public host, or set IMAGE_URLS to off/,
    ])
  }
  try {
    readConfig({ IMAGE_URLS: 'allow', IMAGE_URL_TIMEOUT_MS: '1' })
    t.fail('this is no configuration')
  } catch (error) {
    const { code, message } = error as CropVlmError
    t.equal(code, 'invalid_config')
    t.match(
      message,
      /- IMAGE_URL_TIMEOUT_MS is "1"; set it to a whole number of ms from 100[\s\S]*- IMAGE_URLS is allow, but/,
    )
  }
})
