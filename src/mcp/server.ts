/** The server as the protocol sees it: one tool, and the host's roots. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  RootsListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { Logger } from 'pino'
import { z } from 'zod'
import { VERSION } from '../version.js'
import { readArguments } from './arguments.js'
import { takesStructure } from './hosts.js'
import { type Listener, tellProgress } from './progress.js'
import { failureResult, zoomResult } from './reply.js'
import { type RootSources, Roots } from './source/roots.js'
import { INSTRUCTIONS, ZOOM_IMAGE, zoomImageTool } from './tool.js'
import { adviceOn } from './tool-error.js'
import { type ZoomTools, zoomInto } from './zoom.js'

export interface ServerOptions extends Omit<ZoomTools, 'sources'> {
  sources: Omit<ZoomTools['sources'], 'roots'>
  roots: Pick<RootSources, 'given'>
  /** Whether files are written where a person wants them. */
  writes: boolean
  /** Milliseconds that one call may take. */
  timeoutMs: number
  log: Logger
}

/** What is read of a host's roots. The SDK's own schema refuses them all where one is no file's, as in a remote workspace. */
const HOST_ROOTS = z.looseObject({ roots: z.array(z.looseObject({ uri: z.string() })) })

/** How long a host may take to say which folders are open. */
const ROOTS_TIMEOUT_MS = 10_000

/**
 * Makes the server. It is the SDK's low-level one: its tool's schemas are TypeBox's, as everywhere in this project, and a
 * wrong argument is told to the model in words that say what to do.
 */
export function makeServer({ sources, roots: { given }, writes, timeoutMs, log, ...tools }: ServerOptions): Server {
  const server = new Server(
    { name: 'cropvlm', title: 'CropVLM', version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  )
  const askHost = () =>
    server.getClientCapabilities()?.roots
      ? server
          .request({ method: 'roots/list' }, HOST_ROOTS, { timeout: ROOTS_TIMEOUT_MS })
          .then(reply => reply.roots.map(({ uri }) => uri))
      : null
  const roots = new Roots({ given, askHost, cwd: sources.cwd })
  // a crop may be looked at once more
  const readable = async () => [...(await roots.list()), ...(await tools.files.own())]
  server.setNotificationHandler(RootsListChangedNotificationSchema, () => roots.forget())
  server.onerror = error => log.warn({ err: error }, 'a message of the host could not be handled')
  const structured = () => takesStructure(server.getClientVersion()?.name)

  async function call(given: unknown, signal: AbortSignal, listener: Listener): Promise<CallToolResult> {
    const progress = tellProgress(listener)
    try {
      const request = readArguments(given)
      const all = { ...tools, sources: { ...sources, roots: readable } }
      const view = await zoomInto(request, all, { signal, deadline: Date.now() + timeoutMs }, progress)
      return zoomResult(request, view, structured())
    } catch (error) {
      const advice = adviceOn(error)
      // nobody waits for a call that was cancelled
      if (advice === null && !signal.aborted) log.error({ err: error }, 'a call failed')
      return failureResult(advice ?? 'Something failed inside the server; its log (stderr) has the cause.')
    } finally {
      progress.end()
    }
  }

  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [zoomImageTool({ structured: structured(), writes, links: sources.links !== false })],
  }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, _meta, sendNotification }) => {
    if (params.name !== ZOOM_IMAGE)
      throw new McpError(ErrorCode.InvalidParams, `There is no tool "${params.name}"; this server has ${ZOOM_IMAGE}.`)
    return call(params.arguments ?? {}, signal, {
      token: _meta?.progressToken,
      notify: progress => sendNotification({ method: 'notifications/progress', params: progress }),
    })
  })
  return server
}
