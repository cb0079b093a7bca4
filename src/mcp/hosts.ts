/** What is known of single hosts. */

/**
 * Hosts that show the model a tool's structured result instead of its content, so that the picture is lost:
 * anthropics/claude-code#54737 and #79944 (open in July 2026). To be emptied when these are settled.
 */
const WITHOUT_STRUCTURE: readonly string[] = ['claude-code']

/** Whether a host gets results as JSON too, beside the text and the picture. */
export function takesStructure(host: string | undefined): boolean {
  return host === undefined || !WITHOUT_STRUCTURE.includes(host)
}
