/** `cropvlm mcp` as a host runs it: a process of its own, spoken to by the SDK's client. */
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { type CallToolResult, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import type { Test } from 'tap'
import type { ToolOutput } from '../../src/mcp/tool.js'
import { compiledService } from '../support/compiled.js'

export interface SessionOptions {
  args?: readonly string[]
  env?: Record<string, string>
  cwd?: string
  /** URIs of the host's roots; undefined: it offers none. */
  roots?: () => string[]
  /** How the host calls itself. */
  host?: string
}

export const COMMAND = ['--enable-source-maps', join(compiledService(), 'cli/main.js'), 'mcp']

export function environment(env: Record<string, string> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return {
    ...Object.fromEntries(inherited),
    GRAPH_CACHE_DIR: 'off',
    EXECUTION_PROVIDER: 'cpu',
    NO_PROXY: '*',
    no_proxy: '*',
    ...env,
  }
}

export interface Session {
  client: Client
  /** What the server has written to stderr so far. */
  log(): string
  /** Calls the tool. */
  zoom(input: Record<string, unknown>, options?: Parameters<Client['callTool']>[2]): Promise<Zoomed>
}

export interface Zoomed {
  isError: boolean
  text: string
  /** The picture's file; null where there is none. */
  picture: Buffer | null
  mediaType: string | null
  structured: ToolOutput | undefined
}

/** A session that ends with the test. */
export async function startSession(t: Test, options: SessionOptions = {}): Promise<Session> {
  const { args = [], env, cwd, roots, host = 'test' } = options
  const client = new Client(
    { name: host, version: '1' },
    { capabilities: roots ? { roots: { listChanged: true } } : {} },
  )
  if (roots) client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: roots().map(uri => ({ uri })) }))
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...COMMAND, ...args],
    env: environment(env),
    ...(cwd === undefined ? {} : { cwd }),
    stderr: 'pipe',
  })
  let log = ''
  transport.stderr?.on('data', chunk => {
    log += chunk
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  return {
    client,
    log: () => log,
    async zoom(input, more) {
      const result = await client.callTool({ name: 'zoom_image', arguments: input }, undefined, more)
      return read(result as CallToolResult)
    },
  }
}

function read({ isError = false, content, structuredContent }: CallToolResult): Zoomed {
  const text = content.find(({ type }) => type === 'text') as { text: string }
  const image = content.find(({ type }) => type === 'image') as { data: string; mimeType: string } | undefined
  return {
    isError,
    text: text.text,
    picture: image ? Buffer.from(image.data, 'base64') : null,
    mediaType: image?.mimeType ?? null,
    structured: structuredContent as ToolOutput | undefined,
  }
}
