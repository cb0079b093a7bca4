/** Questions that no till receipt answers: what a rule that is unsure has to be unsure of. */
export const FOREIGN = [
  'What is the date of birth?',
  'What is the surname?',
  'How many inhabitants does Norwick have?',
  'What is the growth of Elmstead?',
  'What time do the doors open?',
  'What is the software version?',
  'Which language is set?',
  'How much do students pay?',
  'Who is featured?',
  'What is the speed limit?',
  'How far is it to the next town?',
  'What does the blue sign say?',
  'What is the deadline for applications?',
  'Who is the author?',
  "What is the player's number?",
  'What percentage of storage is used?',
  'What is the licence plate?',
  'When does the concert take place?',
  'What colour is the car?',
  'Who won the match?',
]

/** The receipts' own questions in words that stand on few of them. */
export const REPHRASED: Readonly<Record<string, readonly string[]>> = {
  total: [
    'How much was paid?',
    'How much did the customer spend?',
    'What does everything cost together?',
    'What sum is due?',
  ],
  date: [
    'When was this issued?',
    'On which day did the purchase happen?',
    'When did the customer buy this?',
    'What day was it?',
  ],
  company: ['Who is the seller?', 'Which company issued this?', 'Who sold the goods?', 'What is the business called?'],
}
