/**
 * The tests of the tree that bring about what a row does, by the row's number, so that `npm test` does not do it twice.
 * `matrix.test.ts` sees that each of them exists.
 */

export interface Covering {
  /** From the folder `test/`. */
  file: string
  /** The test's name, or how it begins. */
  test: string
}

const at = (file: string, ...tests: string[]): Covering[] => tests.map(test => ({ file: `${file}.test.ts`, test }))

export const COVERED: Readonly<Record<number, readonly Covering[]>> = {
  8: at('http/sockets', 'a body that stalls is answered with 504 and its socket closed', 'headers that stall get 408'),
  37: [
    ...at('engine/child/jobs', 'without the grammar a model that knows nothing falls back to the whole image'),
    ...at('engine/child/find-boxes', 'free decoding of random weights is a fallback that says why'),
  ],
  38: [
    ...at(
      'engine/child/box-grammar',
      'over scripted models: always valid',
      'sampling under the grammar is always valid',
    ),
    ...at('engine/child/find-boxes', 'verdicts on free answers'),
  ],
  39: at('vlm/decoding/decode', 'free greedy decoding stops at an end token or at the limit'),
  40: [
    ...at('vlm/decoding/sampling', 'logits that are no numbers are an error, wherever they stand'),
    ...at('engine/parent/process/supervisor', 'no numbers, three times in a row: the process is replaced'),
  ],
  42: at(
    'links/links',
    'a name whose address changes gains nothing: what was checked is connected to',
    'one address of a name that is not public is enough to refuse it',
  ),
  43: at('links/links', 'every redirect is checked'),
  44: at('links/links', 'at most 3 redirects'),
  45: at('links/limits', 'a file over the limit is not read to its end', 'whatever takes too long ends at the timeout'),
  46: [...at('links/links', 'what a link may not be'), ...at('links/rules', 'schemes, users and what is no URL')],
  47: [
    ...at('http/sockets', 'a client that goes away takes its job with it'),
    ...at('engine/parent/client', 'an abort removes a waiting job at once and frees the engine from a running one'),
  ],
  48: [
    ...at('engine/parent/client', 'refuses when the queue is full, with a Retry-After'),
    ...at('http/sockets', 'what the engine has no room for is refused before its body is sent'),
  ],
  49: at('engine/parent/client', 'a deadline ends the wait of queued and running jobs'),
  50: at('engine/parent/admission', 'a job that would be late is refused at once, with when to come back'),
  51: [
    ...at('main', 'starts, says which provider and how to try it, answers, and loses one request to a kill -9'),
    ...at('engine/parent/process/supervisor', 'kill -9 under load costs the running job alone'),
  ],
  52: at('engine/parent/process/supervisor', 'a process that hangs is found by its silence, and the engine says so'),
  54: [
    ...at('vlm/folder/manifest', 'whatever is missing or damaged is named', 'a changed file is found by its sha256'),
    ...at('engine/child/main', 'a model folder that cannot be used: the file is named'),
  ],
  55: at('engine/child/main', 'a provider that cannot be had is an error, not another provider'),
  56: at(
    'engine/parent/process/supervisor',
    'a process that cannot start any more: 503 meanwhile, and back once it can',
  ),
  57: at('vlm/onnx/optimised/cache', 'a folder that cannot be written: a warning, and the graph as it is'),
  58: [
    ...at('http/plugins/drain', 'draining: requests in flight finish, new ones are refused, probes still answer'),
    ...at('main', 'starts, says which provider and how to try it, answers, and loses one request to a kill -9'),
  ],
  59: at('main', 'starts, says which provider and how to try it, answers, and loses one request to a kill -9'),
  60: [
    ...at('http/routes/target-failure', 'whatever the target does, the reply is 502 or 504 with the box in it'),
    ...at('target/openai', 'failures that are told at once, without the key or the question'),
  ],
  61: at('http/routes/target-failure', 'whatever the target does, the reply is 502 or 504 with the box in it'),
  62: [
    ...at('http/routes/target-failure', 'whatever the target does, the reply is 502 or 504 with the box in it'),
    ...at('target/openai', 'a stall ends with the target timeout or the deadline, and so does the call'),
  ],
  63: at('target/odd-replies', 'a reply without end is left after 4 MiB, whatever it is', 'a content-length of 400 MB'),
  64: at('http/routes/endpoint-breaker', 'a target that is down: the box at once'),
  65: at(
    'http/plugins/log',
    'no question below trace; no key and no image bytes at any level',
    'secrets in whatever is logged',
  ),
  67: at('engine/child/jobs', 'the same answers together as alone, whatever else is in the batch'),
  68: [
    ...at(
      'vlm/folder/hostile',
      'a file that is not in the folder is not opened',
      'a pipe, a device, a folder',
      "links: out of the folder none, inside of it and inside of the hub's cache as they are",
      'sizes are known before a file is read',
    ),
    ...at('vlm/folder/hostile-text', 'a template that would make too long a range'),
    ...at('engine/parent/process/supervisor', 'what a stranger wrote may take little when it is tried'),
  ],
}
