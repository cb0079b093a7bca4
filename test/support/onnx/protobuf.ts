/** Writes ONNX graphs by protobuf's wire format, field numbers from onnx.proto: also those that no library would write. */

/** A field of a message: a number as a varint (negative ones as int64), everything else with its length before it. */
export function field(number: number, value: number | bigint | string | Uint8Array): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint')
    return Buffer.concat([varint(number * 8), varint(BigInt.asUintN(64, BigInt(value)))])
  const bytes = Buffer.from(value as Uint8Array)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

export const FLOAT = 1
export const INT64 = 7
export const BOOL = 9

/** Where a tensor's bytes lie in a file beside the graph. */
export interface External {
  location: string
  offset?: number
  length?: number
}

/** A tensor with whatever bytes it is given, whether they fit or not. */
export function tensor(
  name: string,
  type: number,
  dims: readonly (number | bigint)[],
  data: Uint8Array | External,
): Buffer {
  const head = [...dims.map(size => field(1, size)), field(2, type), field(8, name)]
  if (data instanceof Uint8Array) return Buffer.concat([...head, field(9, data)])
  const entries = Object.entries(data).map(([key, value]) =>
    field(13, Buffer.concat([field(1, key), field(2, String(value))])),
  )
  return Buffer.concat([...head, ...entries, field(14, 1)])
}

export const int64s = (name: string, values: readonly (number | bigint)[], dims: readonly number[] = [values.length]) =>
  tensor(name, INT64, dims, Buffer.from(BigInt64Array.from(values, BigInt).buffer))

export const floats = (name: string, values: readonly number[], dims: readonly number[] = [values.length]) =>
  tensor(name, FLOAT, dims, Buffer.from(Float32Array.from(values).buffer))

export const bool = (name: string, value: boolean) => tensor(name, BOOL, [], Buffer.from([Number(value)]))

/** An attribute's value: a whole number or several, a text, a tensor, a graph. */
export type Attribute = number | readonly number[] | string | { tensor: Buffer } | { graph: Buffer }

function attribute(name: string, value: Attribute): Buffer {
  const rest =
    typeof value === 'number'
      ? [field(3, value), field(20, 2)]
      : typeof value === 'string'
        ? [field(4, value), field(20, 3)]
        : 'tensor' in value
          ? [field(5, value.tensor), field(20, 4)]
          : 'graph' in value
            ? [field(6, value.graph), field(20, 5)]
            : [...value.map(number => field(8, number)), field(20, 7)]
  return Buffer.concat([field(1, name), ...rest])
}

export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = '',
): Buffer {
  return Buffer.concat([
    ...inputs.map(name => field(1, name)),
    ...outputs.map(name => field(2, name)),
    field(4, type),
    ...Object.entries(attributes).map(([name, value]) => field(5, attribute(name, value))),
    field(7, domain),
  ])
}

/** An input or output: a tensor of that type, its dims free where they are texts; null: of whatever shape. */
export function value(name: string, type = FLOAT, dims: readonly (number | string)[] | null = null): Buffer {
  const shape = dims?.map(size => field(1, field(typeof size === 'number' ? 1 : 2, size)))
  const tensorType = [field(1, type), ...(shape ? [field(2, Buffer.concat(shape))] : [])]
  return Buffer.concat([field(1, name), field(2, field(1, Buffer.concat(tensorType)))])
}

export interface GraphParts {
  nodes?: readonly Buffer[]
  initializers?: readonly Buffer[]
  inputs?: readonly Buffer[]
  outputs?: readonly Buffer[]
  /** Whatever else the graph is to have. */
  more?: readonly Buffer[]
}

export function graph({ nodes = [], initializers = [], inputs = [], outputs = [], more = [] }: GraphParts): Buffer {
  return Buffer.concat([
    ...nodes.map(bytes => field(1, bytes)),
    field(2, 'g'),
    ...initializers.map(bytes => field(5, bytes)),
    ...inputs.map(bytes => field(11, bytes)),
    ...outputs.map(bytes => field(12, bytes)),
    ...more,
  ])
}

/** A local function of domain `local`. */
export function localFunction(
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  nodes: readonly Buffer[],
): Buffer {
  return Buffer.concat([
    field(1, name),
    ...inputs.map(input => field(4, input)),
    ...outputs.map(output => field(5, output)),
    ...nodes.map(bytes => field(7, bytes)),
    field(9, Buffer.concat([field(1, ''), field(2, 17)])),
    field(9, Buffer.concat([field(1, 'local'), field(2, 1)])),
    field(10, 'local'),
  ])
}

/** A whole file. @param version Of ONNX's own operators. */
export function model(main: Buffer, functions: readonly Buffer[] = [], version = 17): Buffer {
  const opset = (domain: string, version: number) => field(8, Buffer.concat([field(1, domain), field(2, version)]))
  return Buffer.concat([
    field(1, 8),
    opset('', version),
    opset('local', 1),
    field(7, main),
    ...functions.map(bytes => field(25, bytes)),
  ])
}
