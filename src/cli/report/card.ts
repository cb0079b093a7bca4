/** One case: the image with the box, the crop beside it, and both answers. */
import type { Corners } from '../../evaluation/measures.js'
import type { Case, Said } from './case.js'
import { type Html, html } from './html.js'
import type { Pictures } from './pictures.js'

/** @param pictures Or why there are none. */
export function card(one: Case, pictures: Pictures | string): Html {
  const { id, kind, question, answers, withCrop, without, error } = one
  return html`<article class="card" data-kind="${kind}">
${typeof pictures === 'string' ? html`<p class="none">No picture: ${pictures}</p>` : figures(one, pictures)}
<h3>${question}</h3>
<dl>
${answers.length > 0 && html`<dt>Right</dt><dd>${answers.slice(0, 5).join(' · ')}${answers.length > 5 && html` <small>and ${answers.length - 5} more</small>`}</dd>`}
${withCrop && html`<dt>With crop</dt><dd>${saidHtml(withCrop)}</dd>`}
${without && html`<dt>Without</dt><dd>${saidHtml(without)}</dd>`}
${error !== null && html`<dt>Error</dt><dd class="bad">${error}</dd>`}
</dl>
<p class="about">${about(one).map(text => html`<span>${text}</span>`)}<span class="id">${kind} · ${id}</span></p>
</article>
`
}

function figures({ box, trueBox, question }: Case, { image, crop }: Pictures): Html {
  return html`<div class="pictures">
<figure class="whole"><img src="${image.url}" width="${image.width}" height="${image.height}" alt="The page that is asked: ${question}">
${trueBox && frame('true', trueBox)}${box && frame('found', box)}</figure>
${crop && html`<figure class="crop"><img src="${crop.url}" width="${crop.width}" height="${crop.height}" alt="The crop"><figcaption>crop</figcaption></figure>`}
</div>`
}

/** A box in per cent of the picture that it lies on. */
function frame(name: string, [x1, y1, x2, y2]: Corners): Html {
  return html`<i class="box ${name}" style="left:${x1}%;top:${y1}%;width:${x2 - x1}%;height:${y2 - y1}%"></i>`
}

function saidHtml({ text, refused, scores }: Said): Html {
  const isRight = scores?.exact === 1
  const mark =
    scores &&
    html`<b class="${isRight ? 'good' : 'bad'}" title="${isRight ? 'right' : 'wrong'}">${isRight ? '✓' : '✗'}</b> `
  const measures = scores && html` <small>ANLS ${percent(scores.anls)}, VQA ${percent(scores.vqa)}</small>`
  return html`${mark}<span class="said">${text === '' ? html`<em>nothing</em>` : text}</span>${refused && html` <small>refused</small>`}${measures}`
}

function about({ decision, reason, confidence, iou, box }: Case): string[] {
  return [
    ...(decision === null ? [] : [reason === null ? decision : `${decision}: ${reason}`]),
    ...(confidence === null ? [] : [`confidence ${confidence.toFixed(2)}`]),
    ...(iou === null ? [] : [`IoU ${iou.toFixed(2)}`]),
    ...(box === null ? [] : [`box ${box.join(' ')}`]),
  ]
}

function percent(share: number): string {
  return String(Math.round(100 * share))
}
