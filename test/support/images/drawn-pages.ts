/**
 * Pages that a browser draws, none of them a receipt, with questions and a piece of the line that answers each. They
 * show that the rule does not live on one kind of page.
 */
export interface DrawnPage {
  width: number
  height: number
  html: string
  questions: readonly (readonly [question: string, answer: string])[]
}

export const PAGES: Readonly<Record<string, DrawnPage>> = {
  form: {
    width: 900,
    height: 1100,
    html: `<style>body{font:20px Arial;margin:50px}td{padding:9px;border:1px solid #888}h1{text-align:center}</style><h1>Application for a Library Card</h1><table><tr><td>Surname</td><td>Hartmann</td><td>First name</td><td>Clara</td></tr><tr><td>Date of birth</td><td>14 March 1987</td><td>Place of birth</td><td>Graz</td></tr><tr><td>Street</td><td>22 Mill Lane</td><td>Postal code</td><td>8010</td></tr><tr><td>E-mail</td><td>clara.h@example.org</td><td>Telephone</td><td>+43 316 555 0182</td></tr><tr><td>Occupation</td><td>Cartographer</td><td>Card number</td><td>LB-20931</td></tr></table><p>Signed on 03/11/2025 in Graz</p><p>Deposit: 15.00 EUR</p><p>Issued by: Margit Steiner</p>`,
    questions: [
      ['What is the surname?', 'Hartmann'],
      ["What is the applicant's date of birth?", '14 March 1987'],
      ['What is the place of birth?', 'Graz'],
      ['What is the email address?', 'clara.h@example.org'],
      ['What is the phone number?', '555 0182'],
      ['What is the occupation?', 'Cartographer'],
      ['What is the card number?', 'LB-20931'],
      ['How much is the deposit?', '15.00'],
      ['When was this signed?', '03/11/2025'],
      ['Who issued this?', 'Margit Steiner'],
      ['What is the postal code?', '8010'],
      ['What is the title of this form?', 'Application'],
      ['Which street does the applicant live in?', '22 Mill Lane'],
    ],
  },
  table: {
    width: 1000,
    height: 700,
    html: `<style>body{font:22px Georgia;margin:40px}td,th{padding:10px 24px;border-bottom:1px solid #aaa;text-align:left}</style><h2>Population of the largest towns</h2><table><tr><th>Town</th><th>Inhabitants</th><th>Area km2</th><th>Growth</th></tr><tr><td>Norwick</td><td>182,340</td><td>61.2</td><td>4.1%</td></tr><tr><td>Elmstead</td><td>97,105</td><td>44.8</td><td>-1.3%</td></tr><tr><td>Harrowgate</td><td>73,990</td><td>30.1</td><td>0.8%</td></tr><tr><td>Total</td><td>353,435</td><td>136.1</td><td></td></tr></table><p>Source: census bureau, June 2024</p>`,
    questions: [
      ['How many inhabitants does Norwick have?', '182,340'],
      ['What is the growth of Elmstead?', '-1.3%'],
      ['What is the area of Harrowgate?', '30.1'],
      ['What is the total number of inhabitants?', '353,435'],
      ['When was the census?', 'June 2024'],
      ['What is the title of the table?', 'Population of the largest'],
    ],
  },
  sign: {
    width: 800,
    height: 600,
    html: `<style>body{margin:0;background:#1560a8;color:#fff;font:bold 44px Arial;text-align:center;padding-top:40px}small{font:26px Arial}</style>HARBOUR CAFE<br><small>Open daily<br>Mon - Fri 7:30 - 18:00<br>Sat - Sun 9:00 - 16:00<br>Tel. 020 7946 0812<br>www.harbourcafe.example.com<br>No dogs allowed</small>`,
    questions: [
      ['What is the name of the cafe?', 'HARBOUR CAFE'],
      ['What time does it open on Saturday?', '9:00'],
      ['What is the phone number?', '7946 0812'],
      ['What is the website?', 'harbourcafe.example.com'],
      ['Are dogs allowed?', 'No dogs'],
    ],
  },
  invoice: {
    width: 1000,
    height: 1300,
    html: `<style>body{font:19px Helvetica,Arial;margin:60px}table{width:100%;border-collapse:collapse;margin:30px 0}td,th{padding:8px;border-bottom:1px solid #ccc;text-align:left}.r{text-align:right}</style><h1>Bluefin Instruments Ltd</h1><div>14 Dock Road, Plymouth PL4 0DX</div><div>VAT no. GB 123 4567 89</div><div style="float:right">Invoice number: BF-2217<br>Invoice date: 7 May 2025<br>Due date: 6 June 2025</div><h3>Bill to</h3><div>Mrs. Olga Petrenko</div><div>9 Orchard Close, Exeter</div><table><tr><th>Description</th><th>Qty</th><th class=r>Unit price</th><th class=r>Amount</th></tr><tr><td>Pressure gauge</td><td>2</td><td class=r>48.50</td><td class=r>97.00</td></tr><tr><td>Hose kit</td><td>1</td><td class=r>23.20</td><td class=r>23.20</td></tr><tr><td>Delivery</td><td>1</td><td class=r>9.80</td><td class=r>9.80</td></tr></table><div class=r>Subtotal 130.00</div><div class=r>VAT 20% 26.00</div><div class=r><b>Balance due 156.00</b></div><p>Payment terms: 30 days net</p><p>IBAN GB29 NWBK 6016 1331 9268 19</p>`,
    questions: [
      ['What is the invoice number?', 'BF-2217'],
      ['When was this issued?', '7 May 2025'],
      ['What is the due date?', '6 June 2025'],
      ['Who is the seller?', 'Bluefin'],
      ['How much has to be paid?', '156.00'],
      ['What is the subtotal?', '130.00'],
      ['How much is the VAT?', '26.00'],
      ['What is the unit price of the hose kit?', '23.20'],
      ['To whom is the bill addressed?', 'Olga Petrenko'],
      ['What are the payment terms?', '30 days'],
      ['What is the IBAN?', 'GB29'],
      ['What is the total amount?', '156.00'],
    ],
  },
  screen: {
    width: 1200,
    height: 800,
    html: `<style>body{margin:0;font:18px Arial;background:#f4f4f6}header{background:#333;color:#fff;padding:14px 24px;font-size:22px}main{padding:24px}.c{background:#fff;padding:16px;margin:12px 0;border:1px solid #ddd}button{font-size:17px;padding:8px 18px;margin-right:10px}</style><header>Settings - Northwind Mail</header><main><div class=c>Account: dana.kim@northwind.example</div><div class=c>Storage used: 12.4 GB of 50 GB (25%)</div><div class=c>Last backup: 2025-10-21 08:45</div><div class=c>Version 4.18.2</div><div class=c>Language: English (Canada)</div><div class=c>Two-step verification: disabled</div><button>Save changes</button><button>Cancel</button></main>`,
    questions: [
      ['What is the version?', '4.18.2'],
      ['When was the last backup?', '2025-10-21'],
      ['Which language is set?', 'English (Canada)'],
      ['How much storage is used?', '12.4'],
      ['Is two-step verification enabled?', 'disabled'],
      ['What percentage of storage is used?', '25%'],
      ['What is the e-mail address of the account?', 'dana.kim'],
      ['Where can I cancel?', 'Cancel'],
    ],
  },
  poster: {
    width: 700,
    height: 1000,
    html: `<style>body{margin:0;text-align:center;background:#fdf3d8;font:28px Georgia;padding:60px 30px}h1{font-size:64px;margin:20px 0}</style><div>The Riverside Trust presents</div><h1>Summer Jazz Night</h1><p>Saturday 12 July 2025</p><p>Doors open at 19:30</p><p>Old Boathouse, Quay Street</p><p>Tickets £18.50 &nbsp; Students £9.00</p><p>Booking: 01632 960 144</p><p>Featuring the Lena Ortiz Quartet</p>`,
    questions: [
      ['What is the name of the event?', 'Summer Jazz'],
      ['When does the event take place?', '12 July'],
      ['What time do the doors open?', '19:30'],
      ['How much are tickets?', '18.50'],
      ['How much do students pay?', '9.00'],
      ['Which number should I call for booking?', '960 144'],
      ['Who is featured?', 'Lena Ortiz'],
      ['Who presents the event?', 'Riverside Trust'],
    ],
  },
}
