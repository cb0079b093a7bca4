/** The words by which VLMs decline to answer, as in the trainer's `metrics/choices.py`; the goldens keep the two equal. */
const REFUSAL =
  /\b(?:sorry|unanswerable|unknown|unclear|unable|cannot|can't|can not|could not|couldn't|(?:is|are|was|does|do)(?: not|n't) (?:\w+ ){0,2}?(?:visible|shown|present|seen|appear|clear|contain|show|see|enough)|not (?:visible|shown|present|clear|enough|sure|possible|able)|there (?:is|are) no|no \w+(?: \w+){0,6} (?:visible|shown|present|in (?:the|this) (?:image|picture|photo)))\b/i

/** Whether an answer says that it is none. */
export function isRefusal(answer: string): boolean {
  return REFUSAL.test(answer.replaceAll('\u2019', "'"))
}
