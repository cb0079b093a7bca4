/**
 * Pictures of streets that a browser draws: writing on things, in perspective, with questions about what is written there,
 * each with a piece of the line that answers it, and with questions that nothing in the picture answers.
 */
export interface DrawnStreet {
  html: string
  answered: readonly (readonly [question: string, answer: string])[]
  unanswered: readonly string[]
}

/** Of all of them, in pixels. */
export const STREET_SIZE = { width: 900, height: 640 }

const BACKGROUND =
  'body{margin:0;background:linear-gradient(#9fc3e0 0 45%,#8a8378 45% 60%,#56544f 60%);font-family:Arial;overflow:hidden}div{position:absolute;box-sizing:border-box}'
const HOUSE = '<div style="left:40px;top:90px;width:820px;height:340px;background:#b08d6a"></div>'

export const STREETS: Readonly<Record<string, DrawnStreet>> = {
  bakery: {
    html: `<style>${BACKGROUND}</style>${HOUSE}<div style="left:150px;top:140px;width:520px;padding:18px;background:#4a2618;color:#f3e3c3;font:bold 52px Georgia;text-align:center;transform:perspective(700px) rotateY(28deg)">Old Mill Bakery<br><span style="font-size:24px">since 1921</span></div><div style="left:330px;top:290px;width:120px;height:140px;background:#2b2b2b"></div>`,
    answered: [
      ['What is the name of the bakery?', 'Old Mill'],
      ['Since when?', '1921'],
    ],
    unanswered: [
      'Who won the match?',
      'Who is the owner?',
      'What is the phone number?',
      'How much is a coffee?',
      'What time does the shop close?',
      'What colour is the car?',
      'How many people are waiting?',
      'What is the licence plate?',
    ],
  },
  road: {
    html: `<style>${BACKGROUND}</style><div style="left:420px;top:330px;width:24px;height:310px;background:#777"></div><div style="left:210px;top:110px;width:460px;padding:24px 34px;background:#0b5d3b;color:#fff;border:6px solid #fff;border-radius:14px;font:bold 50px Arial;line-height:78px;transform:perspective(800px) rotateY(-24deg) rotateX(6deg)">Milford <span style="float:right">12</span><br>Ashby Cross <span style="float:right">30</span></div>`,
    answered: [
      ['How far is it to Milford?', '12'],
      ['How far is it to Ashby Cross?', '30'],
    ],
    unanswered: [
      'Who is the mayor?',
      'What is the speed limit?',
      'When was the road opened?',
      'How much is the toll?',
      'What does the blue sign say?',
      'What is the website?',
      'What colour is the truck?',
      'Who built the bridge?',
    ],
  },
  bus: {
    html: `<style>${BACKGROUND}</style><div style="left:90px;top:170px;width:720px;height:300px;background:#c22a2a;border-radius:26px;transform:perspective(1100px) rotateY(18deg)"><div style="left:60px;top:26px;width:330px;background:#111;color:#ffc433;font:bold 40px Courier;padding:8px 16px">42 Harbour</div><div style="left:60px;top:110px;width:600px;height:80px;background:#9cc"></div><div style="left:60px;top:215px;color:#fff;font:bold 44px Arial">City Transit</div></div><div style="left:180px;top:440px;width:90px;height:90px;border-radius:50%;background:#222"></div><div style="left:600px;top:430px;width:90px;height:90px;border-radius:50%;background:#222"></div>`,
    answered: [['What is the name of the bus company?', 'City Transit']],
    unanswered: [
      'Who is the driver?',
      'How much is a ticket?',
      'What is the phone number of the company?',
      'When does the next bus leave?',
      'What is the date on the newspaper?',
      'Who is standing at the stop?',
      'What percentage of the seats is taken?',
      'How many passengers are there?',
    ],
  },
  shirt: {
    html: `<style>body{margin:0;background:linear-gradient(#5a8f4e,#2f6b2c);overflow:hidden}div{position:absolute;box-sizing:border-box;text-align:center;font-family:Arial}</style><div style="left:380px;top:40px;width:130px;height:150px;border-radius:50%;background:#8d5a3b"></div><div style="left:260px;top:180px;width:380px;height:460px;background:#f4d21f;border-radius:50px;color:#123c7a;font:bold 54px Arial;padding-top:50px;transform:perspective(900px) rotateY(-20deg)">SANTOS<br><span style="font-size:170px;line-height:190px">10</span></div>`,
    answered: [["What is the player's name?", 'SANTOS']],
    unanswered: [
      'Who won the match?',
      'What is the score?',
      'When does the match begin?',
      'Who is the referee?',
      'How much did the ticket cost?',
      'What is the date of birth of the player?',
      'What colour are the shoes?',
      'Which team lost?',
    ],
  },
  parking: {
    html: `<style>${BACKGROUND}</style>${HOUSE}<div style="left:600px;top:300px;width:16px;height:340px;background:#888"></div><div style="left:500px;top:120px;width:220px;height:240px;background:#fff;border:8px solid #c00;color:#c00;font:bold 36px Arial;text-align:center;padding-top:24px;transform:perspective(600px) rotateY(32deg)">NO<br>PARKING<br><span style="font-size:25px;color:#111">Mon - Fri<br>8:00 - 18:00</span></div>`,
    answered: [['What is not allowed?', 'PARKING']],
    unanswered: [
      'Who put up the sign?',
      'Who painted the wall?',
      'How much is the fine?',
      'What is the name of the street?',
      'What is the house number?',
      'When was the house built?',
      'What is the e-mail address?',
      'What colour is the door?',
    ],
  },
}

/** Pictures without any writing. */
export const TEXTLESS: Readonly<Record<string, string>> = {
  house: `<style>${BACKGROUND}</style>${HOUSE}<div style="left:120px;top:160px;width:90px;height:110px;background:#334;border:8px solid #eee"></div><div style="left:560px;top:250px;width:110px;height:180px;background:#5b3a21"></div><div style="left:700px;top:30px;width:90px;height:90px;border-radius:50%;background:#ffe9a0"></div>`,
  meadow: `<style>body{margin:0;background:linear-gradient(#bfe3f7 0 50%,#5c9a45 50%);overflow:hidden}div{position:absolute;border-radius:50%}</style>${Array.from({ length: 40 }, (_, i) => `<div style="left:${(i * 97) % 880}px;top:${340 + ((i * 53) % 280)}px;width:18px;height:18px;background:hsl(${(i * 47) % 360} 80% 60%)"></div>`).join('')}`,
  fence: `<style>body{margin:0;background:#a9c7d8;overflow:hidden}div{position:absolute;top:180px;width:34px;height:400px;background:#8a6b4a}</style>${Array.from({ length: 16 }, (_, i) => `<div style="left:${20 + i * 56}px"></div>`).join('')}`,
}
