import t from 'tap'
import { readTrustProxy } from '../../../src/config/access/trust-proxy.js'

t.test('all, none, so many, or those at these addresses', async t => {
  const rows = [
    [null, false],
    ['0', false],
    ['false', false],
    ['true', true],
    ['on', true],
    ['2', 2],
    ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
    ['loopback,192.168.1.1', ['loopback', '192.168.1.1']],
  ] as const
  for (const [text, trusted] of rows) {
    const problems: string[] = []
    t.strictSame(readTrustProxy(text, problems), trusted, String(text))
    t.strictSame(problems, [])
  }
})

t.test('what is none of them', async t => {
  for (const text of [
    'proxy.local',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0',
    '1.5',
    '-1',
    '::1/129',
    '10.0.0.1/8/8',
    ',',
  ]) {
    const problems: string[] = []
    t.equal(readTrustProxy(text, problems), false)
    t.match(problems, [/^TRUST_PROXY has ".*"; set it to true, to the number of proxies in front, to addresses/])
  }
})
