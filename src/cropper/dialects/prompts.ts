/** Prompts that several dialects share. */
import type { Prompt } from './dialect.js'

/** The paper's prompt for seed boxes (contract, "Prompts"). */
export function seedPrompt(question: string): Prompt {
  return {
    system: null,
    text: `Outline the region in the image that would help answer the following question: ${question}\nOutput the coordinates in JSON format with a 'bbox_2d' field containing [x1, y1, x2, y2].`,
  }
}

/**
 * A system message that offers one function, in the words of Qwen2.5's chat template, with which the models that zoom by
 * tool calls were trained.
 * @param calling How to call it, where the model knows other words for that than the template's.
 */
export function toolPrompt(tool: object, calling = CALLING): string {
  return `You are a helpful assistant.

# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
${JSON.stringify(tool)}
</tools>

${calling}
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>`
}

const CALLING =
  'For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:'

/** A function whose `bbox_2d` names the region to zoom into, and the other parameters it has. */
export function zoomTool(name: string, description: string, bbox: object, others: object, required: string[]) {
  const properties = { bbox_2d: { type: 'array', items: { type: 'number' }, ...bbox }, ...others }
  return { type: 'function', function: { name, description, parameters: { type: 'object', properties, required } } }
}

/** Grammar of a call of such a function with one box. @param more Further arguments, as JSON text. */
export function zoomCall(name: string, list: string, more = ''): string {
  return `<tool_call>\\n\\{"name": "${name}", "arguments": \\{"bbox_2d": ${list}${more}\\}\\}\\n</tool_call>`
}
