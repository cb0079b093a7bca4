import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { completion } from './upstream.js'

/** A certificate that signed itself. `file` is the PEM file that `NODE_EXTRA_CA_CERTS` would name. */
export interface SelfSigned {
  key: Buffer
  cert: Buffer
  file: string
}

/** Why tests that need a certificate are skipped, or false. */
export const NO_OPENSSL = spawnSync('openssl', ['version']).error ? 'there is no openssl on this machine' : false

/** @param names Its alternative names, as openssl writes them: `DNS:localhost,IP:127.0.0.1`. */
export function selfSigned(t: Test, names: string): SelfSigned {
  const folder = t.testdir({})
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const subject = ['-subj', '/CN=vlm', '-addext', `subjectAltName=${names}`]
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', file], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(file), file }
}

/** A chat-completions endpoint over TLS on loopback, closed with the test, that answers "482". Gives its port. */
export async function tlsUpstream(t: Test, { key, cert }: SelfSigned): Promise<number> {
  const server = createServer({ key, cert }, async (incoming, response) => {
    await incoming.resume().toArray()
    completion('482')(response, { url: '', headers: {}, body: {} }, incoming.socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}
