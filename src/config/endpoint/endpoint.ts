/** How an endpoint is reached beside its key: its address, and what goes along with each call. */
import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'

/** The parts of a base URL to which the client can append a path. */
export interface EndpointAddress {
  /** Up to and with `/v1`, without a query. */
  readonly baseUrl: string
  /** The query that each call has, as `api-version=2024-06-01`; empty: none. */
  readonly query: string
}

/** @param url A valid URL. `/chat/completions` at its end, as providers' pages print it, is left out. */
export function endpointAddress(url: string, more: Readonly<Record<string, string>> = {}): EndpointAddress {
  const parsed = new URL(url)
  const query = new URLSearchParams(parsed.search)
  for (const [name, value] of Object.entries(more)) query.set(name, value)
  parsed.search = ''
  parsed.hash = ''
  return { baseUrl: parsed.href.replace(/(\/chat\/completions)?\/*$/, ''), query: query.toString() }
}

const map = <T extends TSchema>(values: T, expected: string, description: string) =>
  Type.Optional(Type.Record(Type.String(), values, { expected, secret: true, description }))

/** Keys of an entry of `TARGETS`. Their values may be secrets: nothing prints them. */
export const ENDPOINT_ENTRY = {
  headers: map(
    Type.String(),
    'an object of texts, like {"api-key": "..."}',
    'Headers of each call, like Azure\'s {"api-key": "..."}; never shown.',
  ),
  query: map(
    Type.String(),
    'an object of texts, like {"api-version": "2024-06-01"}',
    'Query of each call, like Azure\'s {"api-version": "2024-06-01"}; never shown.',
  ),
  extra_body: map(
    Type.Unknown(),
    'an object, like {"reasoning_effort": "low"}',
    'Further fields of each call\'s body, like {"reasoning_effort": "low"}; never shown.',
  ),
}

export interface EndpointExtras {
  readonly headers: Readonly<Record<string, string>>
  readonly extraBody: Readonly<Record<string, unknown>>
}

/** What the HTTP client decides. */
const OWN_HEADERS = ['connection', 'content-length', 'content-type', 'host', 'transfer-encoding']
/** What a request to this service decides, or what changes the form of the reply. */
const OWN_FIELDS = ['model', 'messages', 'max_tokens', 'max_completion_tokens', 'temperature', 'n', 'stream']

/** What is wrong with the keys of `ENDPOINT_ENTRY` beyond their types: a sentence for each key, from its verb on. */
export function endpointProblems(
  { headers = {}, extra_body = {} }: Static<TObject<typeof ENDPOINT_ENTRY>>,
  apiKey: string | null,
): { headers: string[]; extra_body: string[] } {
  const names = Object.keys(headers).map(name => name.toLowerCase())
  const own = OWN_HEADERS.filter(name => names.includes(name))
  const problems = own.map(name => `holds "${name}", which the service sets itself; leave it out.`)
  if (!Object.entries(headers).every(isHeader))
    problems.push('holds a name or a value that no HTTP header can have; values are not shown.')
  if (apiKey !== null && names.includes('authorization'))
    problems.push('holds "authorization", and there is an API key too; keep one.')
  const fields = OWN_FIELDS.filter(name => Object.hasOwn(extra_body, name))
  return {
    headers: problems,
    extra_body: fields.map(name => `holds "${name}", which the service sets itself; leave it out.`),
  }
}

function isHeader([name, value]: [string, string]): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
}
