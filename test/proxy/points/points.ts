/**
 * The 14 points that the proxy keeps, as edits of the source that break them. `npm run mutations` makes each edit in a copy
 * and runs the tests beside it: every one of those files must fail. `what` is the promise that the edit breaks.
 */
export interface Mutation {
  point: number
  what: string
  /** Below `src/`. `search` stands once in it. */
  file: string
  search: string
  replace: string
  /** Below `test/`, without `.test.ts`. */
  tests: readonly string[]
}

/** [what, file, search, replace, ...tests] */
type Row = [what: string, file: string, search: string, replace: string, ...tests: string[]]

const V1 = 'http/routes/v1'

const POINTS: Readonly<Record<number, readonly Row[]>> = {
  1: [
    [
      'only the parts of a crop are put in: the rest is not written anew',
      'proxy/json/edit.ts',
      'return Buffer.concat(pieces)',
      'return Buffer.from(JSON.stringify(JSON.parse(Buffer.concat(pieces).toString())))',
      `${V1}/chat`,
    ],
    [
      'without an image the forwarded bytes are the received bytes',
      'http/routes/v1/chat.ts',
      'return await call(proxy, request, target, body, {',
      'return await call(proxy, request, target, Buffer.from(body.toString().trim()), {',
      `${V1}/chat`,
    ],
    [
      'our own options are taken out',
      'proxy/prepare.ts',
      'edits: [...cutMembers(json, chat.root, OPTIONS_FIELD), ...zoomed.edits]',
      'edits: zoomed.edits',
      `${V1}/chat`,
    ],
    [
      'the parts stand directly behind their image',
      'proxy/chat/crop-parts.ts',
      'insert(crop.image.span.end, partsText',
      'insert(turn.content.end - 1, partsText',
      `${V1}/chat`,
    ],
  ],
  2: [
    [
      "the status is the upstream's",
      'proxy/upstream/relay.ts',
      'response.writeHead(status,',
      'response.writeHead(200,',
      `${V1}/reply`,
    ],
    [
      'its headers come through as they were written',
      'proxy/upstream/headers.ts',
      'for (const [, name, value] of fields) list.push(name, value)',
      'for (const [, name, value] of fields) list.push(name.toLowerCase(), value)',
      `${V1}/reply`,
    ],
    [
      'headers of one connection stay behind',
      'proxy/upstream/headers.ts',
      'left.has(lower) || replaced.includes(lower) || named.includes(lower)',
      'false',
      `${V1}/reply`,
      'proxy/upstream/headers',
    ],
    [
      'the headers of a stream are not held back',
      'proxy/upstream/relay.ts',
      'response.flushHeaders()',
      'void 0',
      `${V1}/reply`,
    ],
    [
      'bytes go on as they come',
      'proxy/upstream/relay.ts',
      'else body.pipe(response)',
      "else { const all: Buffer[] = []; body.on('data', c => all.push(c)).once('end', () => response.end(Buffer.concat(all))) }",
      `${V1}/reply`,
    ],
  ],
  3: [
    [
      "a crop has its image's detail",
      'proxy/chat/crop-parts.ts',
      `? '"high"' : own`,
      `? '"high"' : '"auto"'`,
      `${V1}/chat`,
      `${V1}/shapes`,
    ],
    [
      'ZOOM_DETAIL=low-high sends the image low',
      'proxy/chat/crop-parts.ts',
      `detailEdit(json, crop.image, '"low"')`,
      `detailEdit(json, crop.image, '"high"')`,
      `${V1}/chat`,
    ],
  ],
  4: [
    [
      'no role but the user gets a crop',
      'proxy/chat/conversation.ts',
      "if (textOf(json, memberOf(json, item, 'role')) !== 'user') return []",
      '',
      `${V1}/chat`,
    ],
    [
      'the order of the parts stays',
      'proxy/chat/crop-parts.ts',
      'insert(crop.image.span.end, partsText',
      'insert(turn.content.start + 1, partsText',
      `${V1}/chat`,
      `${V1}/shapes`,
    ],
  ],
  5: [
    [
      'the last images get the crops',
      'proxy/crop/plan.ts',
      'seen.slice(-maxImages)',
      'seen.slice(0, maxImages)',
      `${V1}/chat`,
    ],
    [
      'as many as ZOOM_MAX_IMAGES allows',
      'proxy/options.ts',
      'given.max_images ?? settings.zoomMaxImages',
      'given.max_images ?? 1',
      `${V1}/chat`,
    ],
    [
      'a crop says which image it is of',
      'proxy/chat/crop-parts.ts',
      "replaceAll('{image}', String(number))",
      "replaceAll('{image}', '1')",
      `${V1}/chat`,
      `${V1}/turns`,
    ],
  ],
  6: [
    [
      'each turn keeps its crop in the calls that follow',
      'proxy/crop/plan.ts',
      "if (turn.hasCrops || turn.question.trim() === '') return []",
      "if (turn !== turns.at(-1) || turn.hasCrops || turn.question.trim() === '') return []",
      `${V1}/turns`,
    ],
    [
      'a new question about an earlier image gets its crop',
      'proxy/crop/plan.ts',
      'return seen.slice(-maxImages).map',
      'return turn.images.slice(-maxImages).map',
      `${V1}/turns`,
      `${V1}/shapes`,
    ],
    [
      'in the new turn',
      'proxy/chat/crop-parts.ts',
      '(image.message === turn.message) === isOwn',
      'isOwn',
      `${V1}/turns`,
    ],
    [
      'the crop is remembered',
      'proxy/crop/find-crop.ts',
      'if (isLasting(outcome)) finder.memory.set(key, outcome)',
      '',
      `${V1}/turns`,
    ],
    [
      'for the same image and question alone',
      'proxy/crop/find-crop.ts',
      'return [question, zoom, resolution',
      'return [zoom, resolution',
      `${V1}/turns`,
    ],
  ],
  7: [
    [
      'a link that may not be fetched is skipped, not failed',
      'proxy/crop/find-crop.ts',
      "if (error.code === 'url_not_allowed' || error.code === 'invalid_url') return LINK",
      '',
      `${V1}/chat`,
      `${V1}/links`,
    ],
    [
      'one that may be fetched is zoomed',
      'proxy/crop/image-bytes.ts',
      'return await images.fetch(source.url, patience)',
      'return null',
      `${V1}/links`,
    ],
    ['once', 'proxy/crop/image-bytes.ts', 'if (known) return known', '', `${V1}/links`],
    [
      'every address is checked',
      'links/connect.ts',
      'if (!addresses.every(({ address }) => isAllowed(address))) throw new NotPublic()',
      '',
      'links/links',
      `${V1}/links`,
    ],
    [
      'one in the link itself too',
      'links/connect.ts',
      'if (isIP(options.hostname) > 0 && !isAllowed(options.hostname))',
      'if (options.hostname === "")',
      'links/links',
    ],
    [
      'every hop is checked',
      'links/fetch.ts',
      'if (!checked.url) throw',
      'if (!checked.url && hop === 0) throw',
      'links/links',
    ],
    [
      'redirects are bounded',
      'links/fetch.ts',
      'if (hop === MAX_REDIRECTS) throw',
      'if (hop === 99) throw',
      'links/links',
    ],
    ['the size is bounded', 'links/fetch.ts', 'if (size > maxBytes) throw', 'if (size < 0) throw', 'links/links'],
    [
      'the time is bounded',
      'links/links.ts',
      'AbortSignal.timeout(Math.min(timeoutMs, left))',
      'AbortSignal.timeout(left)',
      'links/links',
    ],
  ],
  8: [
    [
      'a cropper that fails does not fail the chat',
      'proxy/crop/find-crop.ts',
      'look(finder, request).catch(failure)',
      'look(finder, request)',
      `${V1}/fail-open`,
      `${V1}/shapes`,
    ],
    [
      'one that is too slow is not waited for',
      'proxy/crop/find-in-time.ts',
      'setTimeout(() => late.abort(), budgetMs)',
      'setTimeout(() => late.abort(), budgetMs * 1e4)',
      'proxy/crop/find-in-time',
    ],
    [
      'ZOOM_FAIL=closed gives the error',
      'proxy/zoom-body.ts',
      "if (settings.zoomFail === 'closed' && failure)",
      'if (!settings && failure)',
      `${V1}/fail-open`,
      `${V1}/shapes`,
    ],
    [
      'the same for a body that cannot be unpacked',
      'http/routes/v1/chat.ts',
      "failed(error, zoomFail === 'closed')",
      "failed(error, zoomFail !== 'closed')",
      `${V1}/compressed`,
    ],
  ],
  9: [
    [
      'the decision is told',
      'proxy/verdict.ts',
      "'x-cropvlm-decision': decision,",
      "'x-cropvlm-decision': 'zoomed',",
      `${V1}/chat`,
      `${V1}/fail-open`,
    ],
    [
      'and its reason',
      'proxy/verdict.ts',
      "...(reason === null ? {} : { 'x-cropvlm-reason': reason }),",
      '',
      `${V1}/chat`,
      `${V1}/fail-open`,
    ],
    ['and the boxes', 'proxy/verdict.ts', 'bbox_pixels: pixelBox,', 'bbox_pixels: box,', `${V1}/chat`],
    ['and the time', 'proxy/verdict.ts', "'x-cropvlm-ms': String(", "'x-cropvlm-time': String(", `${V1}/chat`],
    [
      "and the request's id",
      'http/app.ts',
      "reply.header('x-request-id', request.id)",
      "reply.header('x-id', request.id)",
      `${V1}/chat`,
    ],
    [
      'requests are counted by decision and reason',
      'http/plugins/metrics.ts',
      "proxyRequests.inc({ decision, reason: reason ?? 'none' })",
      '',
      `${V1}/fail-open`,
    ],
    [
      'seconds',
      'http/plugins/metrics.ts',
      "if (decision !== 'off') proxyZoom",
      "if (decision === 'off') proxyZoom",
      `${V1}/fail-open`,
    ],
    [
      'failures',
      'http/plugins/metrics.ts',
      'for (const { reason } of failures) openFailures.inc({ reason })',
      '',
      `${V1}/fail-open`,
    ],
    [
      "and the upstream's tokens",
      'http/plugins/metrics.ts',
      "proxyTokens.inc({ decision, type: 'prompt' }, tokens.prompt)",
      '',
      `${V1}/openai-client`,
    ],
  ],
  10: [
    [
      'a client that hangs up aborts the upstream call',
      'proxy/upstream/send.ts',
      "signal.addEventListener('abort', onAbort)",
      '',
      `${V1}/reply`,
    ],
    [
      'also while nothing comes',
      'http/plugins/connection/half-closed.ts',
      'if (streams && response.headersSent',
      'if (!streams && response.headersSent',
      `${V1}/reply`,
    ],
    [
      'an upstream that stalls between bytes is cut off',
      'proxy/upstream/send.ts',
      'outgoing.socket?.setTimeout(betweenMs)',
      'outgoing.socket?.setTimeout(0)',
      `${V1}/reply`,
    ],
    [
      'not one that streams for longer in all',
      'proxy/upstream/send.ts',
      'outgoing.socket?.setTimeout(betweenMs)',
      "setTimeout(() => response?.destroy(new SilenceError(betweenMs, 'TARGET_TIMEOUT_MS')), betweenMs)",
      `${V1}/reply`,
    ],
    [
      'nor one that is silent until its answer is ready',
      'proxy/upstream/send.ts',
      'let limit: { ms: number; option: TimeoutOption } = { ms: firstByteMs,',
      'let limit: { ms: number; option: TimeoutOption } = { ms: betweenMs,',
      `${V1}/reply`,
    ],
    [
      'and a slow client is not its silence',
      'proxy/upstream/send.ts',
      'if (response?.isPaused())',
      'if (response === undefined)',
      `${V1}/reply`,
    ],
  ],
  11: [
    [
      'our key goes no further',
      'proxy/upstream/headers.ts',
      'hasOwnKey ? given.filter(([name]) => !KEY_HEADERS.includes(name)) : given',
      'given',
      `${V1}/keys`,
    ],
    [
      'the upstream gets TARGET_API_KEY in the place of ours',
      'proxy/upstream/headers.ts',
      'if (apiKey === null || (sent.length > 0 && !hasOwnKey)) return others',
      'if (apiKey === null || sent.length > 0) return others',
      `${V1}/keys`,
    ],
    [
      "without a key of ours the caller's goes through",
      'proxy/upstream/headers.ts',
      'if (apiKey === null || (sent.length > 0 && !hasOwnKey)) return others',
      'if (apiKey === null) return others',
      `${V1}/keys`,
    ],
    [
      'a key is never logged',
      'http/plugins/log.ts',
      "const SECRET_HEADERS = ['authorization',",
      'const SECRET_HEADERS = [',
      'http/plugins/log',
    ],
  ],
  12: [
    [
      '`model` is a target by its name',
      'proxy/upstream/upstream.ts',
      '({ name }) => name === model',
      '({ name }) => name === "?"',
      `${V1}/upstreams`,
    ],
    [
      'or by its model',
      'proxy/upstream/upstream.ts',
      'return { target: served ?? targets[0]',
      'return { target: targets[0]',
      `${V1}/upstreams`,
    ],
    [
      'else the body is unchanged',
      'proxy/prepare.ts',
      "target.kind === 'openai' && byName && model",
      "target.kind === 'openai' && (byName || true) && model",
      `${V1}/upstreams`,
    ],
  ],
  13: [
    [
      'bodies have a limit of their own',
      'http/routes/v1/routes.ts',
      'anyKeyHeader: true, maxBodyBytes }',
      'anyKeyHeader: true }',
      `${V1}/upstreams`,
    ],
    [
      'also where no length is told',
      'http/routes/v1/body.ts',
      '[new Limit(maxBytes), ...through]',
      'through',
      `${V1}/upstreams`,
    ],
    [
      'which is large',
      'config/proxy.ts',
      'default: 100 * 1024 * 1024,',
      'default: 10 * 1024 * 1024,',
      `${V1}/upstreams`,
    ],
    [
      'what is not to be zoomed is sent on while it comes',
      'http/routes/v1/chat.ts',
      "if (header === 'off' && mayStream",
      'if (header === null && mayStream',
      `${V1}/upstreams`,
    ],
    [
      'unpacked it counts too',
      'http/routes/v1/readable.ts',
      'if (size > maxBytes) throw',
      'if (size < 0) throw',
      `${V1}/compressed`,
    ],
  ],
  14: [
    [
      'a target in this process answers itself',
      'http/routes/v1/chat.ts',
      "if (target.kind !== 'openai') {",
      "if (target.kind === 'reader') {",
      `${V1}/local`,
    ],
    ['from the crop too', 'proxy/local/answer.ts', 'crops.get(turn)?.at(-1)?.picture ?? null', 'null', `${V1}/local`],
    ['streaming too', 'http/routes/v1/local.ts', 'if (!options.stream) return', 'if (options) return', `${V1}/local`],
    [
      'in the shape of chat completions',
      'proxy/local/chat-completion.ts',
      "common(head, 'chat.completion.chunk')",
      "common(head, 'chat.completion')",
      `${V1}/local`,
    ],
    [
      'of Responses',
      'proxy/local/response.ts',
      "type: 'response.output_text.delta'",
      "type: 'response.output_text'",
      `${V1}/local`,
    ],
    [
      "and of Anthropic's messages",
      'proxy/local/message.ts',
      "return isCut ? 'max_tokens' : 'end_turn'",
      "return isCut ? 'length' : 'stop'",
      `${V1}/local`,
    ],
  ],
}

export const MUTATIONS: readonly Mutation[] = Object.entries(POINTS).flatMap(([point, rows]) =>
  rows.map(([what, file, search, replace, ...tests]) => ({ point: Number(point), what, file, search, replace, tests })),
)
