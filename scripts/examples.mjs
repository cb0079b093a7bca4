/**
 * Draws the example pictures of the page in Chromium: `node scripts/examples.mjs` writes them to src/page/examples/.
 * The third example, receipt.png, is docs/example.png. CHROMIUM names the browser; Debian's package is the default.
 */
import { writeFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import sharp from 'sharp'

const FOLDER = new URL('../src/page/examples/', import.meta.url)

/** Trains of a departure board: time, destination, train, platform, remark. */
const TRAINS = [
  ['08:04', 'Linz', 'RE 3017', '4', ''],
  ['08:12', 'Salzburg', 'IC 542', '2', ''],
  ['08:19', 'Graz', 'IC 729', '11', 'delayed 15 min'],
  ['08:26', 'Innsbruck', 'RJ 164', '7', ''],
  ['08:31', 'Bregenz', 'EN 466', '9', ''],
  ['08:40', 'Villach', 'EC 113', '3', 'cancelled'],
  ['08:47', 'Prague', 'RJ 372', '12', ''],
  ['08:55', 'Budapest', 'RJ 63', '6', ''],
  ['09:02', 'Klagenfurt', 'IC 533', '5', ''],
]

const row = ([time, to, train, platform, remark]) =>
  `<tr><td class="t">${time}</td><td class="d">${to}</td><td>${train}</td><td>${platform}</td><td class="r">${remark}</td></tr>`

const DEPARTURES = `<!doctype html><style>
  body { margin: 0; width: 1600px; height: 1000px; background: #c9cdd2; font: 26px 'DejaVu Sans'; position: relative }
  .wall { position: absolute; inset: 0 0 300px; background: linear-gradient(#dfe2e6, #c3c8ce) }
  .floor { position: absolute; inset: 700px 0 0; background: linear-gradient(#8b8f94, #6f7378) }
  .arm { position: absolute; top: 0; width: 14px; height: 150px; background: #5b6067 }
  .board { position: absolute; left: 270px; top: 140px; width: 900px; background: #10233f; border: 10px solid #2a2f36;
    border-radius: 10px; color: #f5f7fa; padding: 18px 30px 24px; box-shadow: 0 18px 30px #0005 }
  h1 { font-size: 34px; margin: 4px 0 12px; color: #ffd24a } table { width: 100%; border-collapse: collapse }
  th { font-size: 17px; color: #9fb4d1; font-weight: normal; text-align: left; padding: 4px 8px }
  td { font-size: 22px; padding: 5px 8px; border-top: 1px solid #2a4266 } .t { color: #ffd24a } .r { color: #ff9d7a; font-size: 18px }
  .man { position: absolute; background: #39424f } .head { border-radius: 50% }
</style><div class="wall"></div><div class="floor"></div>
<div class="arm" style="left: 420px"></div><div class="arm" style="left: 1000px"></div>
<div class="board"><h1>Departures</h1><table><tr><th>Time</th><th>Destination</th><th>Train</th><th>Platform</th><th></th></tr>
${TRAINS.map(row).join('')}</table></div>
<div class="man" style="left: 1290px; top: 640px; width: 120px; height: 300px; border-radius: 60px 60px 14px 14px"></div>
<div class="man head" style="left: 1315px; top: 555px; width: 70px; height: 80px"></div>
<div class="man" style="left: 1440px; top: 800px; width: 90px; height: 140px; border-radius: 12px; background: #8c2f39"></div>`

const SIGN = `<!doctype html><style>
  body { margin: 0; width: 1600px; height: 1100px; overflow: hidden; position: relative; font-family: 'DejaVu Sans';
    background: linear-gradient(#8fbbe0, #dcebf5 56%, #7d9a5d 56%, #5f7f45) }
  div { position: absolute; box-sizing: border-box }
  .hill { border-radius: 50%; background: #6f9160 } .post { width: 16px; background: #6b6f73 }
  .road { left: 380px; top: 620px; width: 900px; height: 480px; background: #4d5054; clip-path: polygon(47% 0, 53% 0, 100% 100%, 0 100%) }
  .line { left: 822px; width: 16px; background: #f3f3ea }
  .sign { left: 1000px; top: 330px; width: 420px; white-space: nowrap; padding: 16px 24px; background: #0b5d3b; color: #fff; border: 5px solid #fff;
    border-radius: 12px; font-size: 27px; font-weight: bold; line-height: 46px; display: flex; flex-wrap: wrap; justify-content: space-between }
  .sign span { width: 70% } .sign b { width: 30%; text-align: right }
  .tree { border-radius: 50%; background: #3f6b39 }
</style>
<div class="hill" style="left: -240px; top: 470px; width: 1100px; height: 420px"></div>
<div class="hill" style="left: 700px; top: 510px; width: 1300px; height: 380px; background: #648756"></div>
<div style="left: 0; top: 640px; width: 1600px; height: 460px; background: linear-gradient(#6f9150, #56763c)"></div>
<div class="road"></div><div class="line" style="top: 720px; height: 60px; width: 8px; left: 826px"></div>
<div class="line" style="top: 840px; height: 90px; width: 12px; left: 824px"></div><div class="line" style="top: 990px; height: 110px"></div>
<div class="post" style="left: 1080px; top: 480px; height: 330px"></div><div class="post" style="left: 1320px; top: 480px; height: 330px"></div>
<div class="sign"><span>Milford</span><b>12 km</b><span>Ashby Cross</span><b>30 km</b><span>Port Elmsworth</span><b>87 km</b></div>
<div style="left: 236px; top: 560px; width: 28px; height: 150px; background: #5e4630"></div>
<div class="tree" style="left: 130px; top: 360px; width: 240px; height: 250px"></div>
<div class="tree" style="left: 90px; top: 440px; width: 170px; height: 160px; background: #4a7a42"></div>`

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium's sandbox does not run as root
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
})
try {
  for (const [name, html, width, height] of [
    ['departures', DEPARTURES, 1600, 1000],
    ['sign', SIGN, 1600, 1100],
  ]) {
    const page = await browser.newPage({ viewport: { width, height } })
    await page.setContent(html)
    const drawn = await page.screenshot()
    writeFileSync(new URL(`${name}.webp`, FOLDER), await sharp(drawn).webp({ quality: 84, effort: 6 }).toBuffer())
  }
} finally {
  await browser.close()
}
