/**
 * The compiled service, whose links lead into an internet of this machine: names are looked up at a DNS server of
 * loopback, and 127.0.0.1 counts as a public address. No variable of the service can say so, which is why this program
 * puts its parts together; they are those of `src/service.ts`.
 *
 *   node internet.mjs FOLDER DNS
 */
import { promises as dns } from 'node:dns'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'

const [folder = '', server = ''] = process.argv.slice(2)
const part = path => import(pathToFileURL(join(folder, path)).href)

const { readConfig } = await part('config/service.js')
const { configuredCropper } = await part('cropper/croppers.js')
const { engineOptions } = await part('engine/options.js')
const { startEngine } = await part('engine/parent/client.js')
const { buildApp } = await part('http/app.js')
const { isPublicAddress } = await part('links/address.js')
const { imageLinks } = await part('links/links.js')
const { makeTargets } = await part('target/targets.js')

const config = readConfig(process.env)
const { needs, make } = configuredCropper(config)
const log = pino({ level: config.logLevel })
const engine = startEngine(engineOptions(config, needs), log)
const resolver = new dns.Resolver({ timeout: 500, tries: 1 })
resolver.setServers([server])
const isAllowedAddress = address => address === '127.0.0.1' || isPublicAddress(address)
const links = imageLinks(config, { resolver, isAllowedAddress })
const app = await buildApp({ config, engine, cropper: make(engine), targets: makeTargets(config, engine), links, log })
await app.listen({ host: config.host, port: config.port })
await engine.ready
log.info('ready; try a link')
