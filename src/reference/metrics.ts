/** The table of metrics, from what `/metrics` says of itself. */
import { code, table } from './markdown.js'

/**
 * @param text Of `/metrics`, in Prometheus' text format.
 * @returns a table of the metrics of this project; those of the process are Prometheus' usual ones
 */
export function metricsReference(text: string): string[] {
  const help = [...text.matchAll(/^# HELP (cropvlm_\w+) (.*)$/gm)]
  const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]))
  const rows = help.map(([, name = '', meaning = '']) => [code(name), types.get(name) ?? '', meaning])
  return table(['metric', 'type', 'meaning'], rows)
}
