/** The style sheet and the script of a report. */

export const STYLE = `
:root { color-scheme: light dark; --found: #e6002e; --true: #0a8f4d; --good: #0a7a42; --bad: #c02030; --line: #d5d8de; --back: #f5f6f8; --card: #fff; --text: #1b1e24; --soft: #5b6270 }
@media (prefers-color-scheme: dark) { :root { --found: #ff4d6d; --true: #2fd085; --good: #4cd492; --bad: #ff7d8a; --line: #363b45; --back: #14161a; --card: #1d2026; --text: #e8eaee; --soft: #a2a9b6 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1500px; padding: 24px; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif }
h1 { margin: 0 0 8px; font-size: 26px } h2 { margin: 36px 0 2px; font-size: 20px } h2 small { color: var(--soft); font-weight: 400 } h3 { margin: 12px 0 6px; font-size: 16px; overflow-wrap: anywhere }
a { color: inherit } small, .soft, .about { color: var(--soft) } section > p { margin: 0 0 14px }
.facts { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 0 0 16px; color: var(--soft); overflow-wrap: anywhere }
.scroll { overflow-x: auto } table { border-collapse: collapse; background: var(--card); border: 1px solid var(--line) }
th, td { padding: 5px 12px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums } th:first-child { text-align: left } th { font-weight: 600 } tbody tr:last-child > * { border-bottom: 0; font-weight: 600 }
form { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 18px -24px 0; padding: 10px 24px; background: var(--back); border-bottom: 1px solid var(--line) }
select, input { padding: 5px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--card); color: inherit; font: inherit }
.legend i { display: inline-block; width: 14px; height: 11px; margin: 0 4px 0 12px; vertical-align: -1px; border: 2px solid var(--found) } .legend i.true { border: 2px dashed var(--true) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 16px }
.card { padding: 14px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; min-width: 0 }
.pictures { display: flex; gap: 10px; align-items: flex-start } figure { margin: 0; min-width: 0 } figure img { display: block; max-width: 100%; height: auto; max-height: 380px; width: auto }
.whole { position: relative; flex: 0 1 auto; border: 1px solid var(--line) } .crop { flex: 1 1 0; min-width: 90px; max-width: 45% } .crop img { border: 2px solid var(--found) } figcaption { color: var(--soft); font-size: 12px }
.box { position: absolute; border: 2px solid var(--found); box-shadow: 0 0 0 1px #fffa, inset 0 0 0 1px #fffa } .box.true { border: 2px dashed var(--true) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0 } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere } .good { color: var(--good) } .bad { color: var(--bad) }
.about { display: flex; flex-wrap: wrap; gap: 0 12px; margin: 8px 0 0; font-size: 13px; overflow-wrap: anywhere } .none, .note { margin: 0; padding: 10px; border: 1px dashed var(--line); color: var(--soft); overflow-wrap: anywhere }
[hidden] { display: none !important }
@media (max-width: 560px) { body { padding: 12px } form { margin: 12px -12px 0; padding: 8px 12px; position: static } .pictures { flex-wrap: wrap } .crop { max-width: 100% } }
@media print { form { display: none } .card { break-inside: avoid } }
`

/** Hides the cards that are not of the chosen kind, or that do not have the words. Without it all of them are shown. */
export const SCRIPT = `
const form = document.querySelector('form')
form.hidden = false
const cards = [...document.querySelectorAll('.card')].map(card => ({ card, text: card.textContent.toLowerCase() }))
function filter() {
  const kind = form.kind.value
  const words = form.words.value.trim().toLowerCase()
  let count = 0
  for (const { card, text } of cards) {
    card.hidden = (kind !== '' && card.dataset.kind !== kind) || !text.includes(words)
    if (!card.hidden) count++
  }
  for (const section of document.querySelectorAll('section')) {
    const isOther = form.section.value !== '' && section.id !== form.section.value
    section.hidden = isOther || !section.querySelector('.card:not([hidden])')
    if (isOther) count -= section.querySelectorAll('.card:not([hidden])').length
  }
  form.count.value = count + ' of ' + cards.length
}
form.addEventListener('input', filter)
form.addEventListener('submit', event => event.preventDefault())
filter()
`
