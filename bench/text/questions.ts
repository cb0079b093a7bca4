/** Questions that no till receipt answers, by the kind of answer: what a rule that is unsure has to be unsure of. */
export const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  amount: [
    'How much do students pay?',
    'What is the monthly rent?',
    'How much is the fine for speeding?',
    'What is the salary of the director?',
    'What was the total budget of the film?',
    'What does the ticket for children cost?',
  ],
  date: [
    'What is the date of birth?',
    'What is the deadline for applications?',
    'When does the concert take place?',
    'When was the bridge built?',
    'On which day does the exhibition end?',
    'In which year did the painter die?',
  ],
  name: [
    'Who won the match?',
    'Who is featured?',
    'Who is the author?',
    'What is the name of the ship?',
    'Who painted this picture?',
    'Who is the captain of the team?',
    'Who gave the lecture?',
    'What is the title of the book?',
  ],
  other: [
    'What is the surname?',
    'How many inhabitants does Norwick have?',
    'What is the growth of Elmstead?',
    'What time do the doors open?',
    'What is the software version?',
    'Which language is set?',
    'What is the speed limit?',
    'How far is it to the next town?',
    'What does the blue sign say?',
    "What is the player's number?",
    'What percentage of storage is used?',
    'What is the licence plate?',
    'What colour is the car?',
  ],
}

/** The receipts' own questions in words that stand on few of them. */
export const REPHRASED: Readonly<Record<string, readonly string[]>> = {
  total: [
    'How much was paid?',
    'How much did the customer spend?',
    'What does everything cost together?',
    'What sum is due?',
    'What is the final total of the customer?',
  ],
  date: [
    'When was this issued?',
    'On which day did the purchase happen?',
    'When did the customer buy this?',
    'What day was it?',
    'What is the date of the purchase?',
  ],
  company: [
    'Who is the seller?',
    'Which company issued this?',
    'Who sold the goods?',
    'What is the business called?',
    'What is the name of the seller?',
  ],
}
