/** Which findings fail the audit. */

const LET_PASS = new Set(['info', 'low', 'moderate'])

/**
 * The list of faults that are let pass: `[{ "id", "package", "reason", "until" }]`.
 * @returns the entries that hold, and what is wrong with the others: a field is missing, or its day has come
 */
export function readAllowed(text, today) {
  const faults = []
  const allowed = JSON.parse(text).filter(entry => {
    const name = `${entry.id} of ${entry.package}`
    const missing = ['id', 'package', 'reason', 'until'].filter(key => !entry[key])
    if (missing.length > 0) faults.push(`${name}: ${missing.join(', ')} missing`)
    else if (!/^\d{4}-\d\d-\d\d$/.test(entry.until)) faults.push(`${name}: until is to be a day such as ${today}`)
    else if (entry.until < today) faults.push(`${name}: let pass until ${entry.until}; look at it again`)
    else return true
    return false
  })
  return { allowed, faults }
}

/** Sorts findings `{ name, version, id, aliases, severity, title, fix }`. A severity that is not known counts as high. */
export function judge(findings, allowed) {
  const isAllowed = ({ name, id, aliases }) =>
    allowed.some(entry => entry.package === name && [id, ...aliases].includes(entry.id))
  const passed = findings.filter(finding => LET_PASS.has(finding.severity) || isAllowed(finding))
  return { passed, bad: findings.filter(finding => !passed.includes(finding)) }
}
