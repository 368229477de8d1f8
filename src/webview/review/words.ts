import { t } from '../l10n.ts';

/** What the review page itself says; one place, so that it can be said in another language. */
export const WORDS = {
  opening: t('Opening the review…'),
  tabs: { turns: t('Turns'), task: t('Task'), compare: t('Compare'), trends: t('Trends') },
  total: t('Total, nats'),
  aToken: t('a token'),
  advantage: t('Advantage'),
  turn: t('Turn'),
  turnsLabel: t('Turns, with what each reply was worth'),
  keys: t('j k move · 1–5 label · x leave out · r seen · n note · u undo'),
  openChat: t('Open in Chat'),
  scoreNow: t('Score Now'),
  nobody: t('not scored'),
  legend: {
    placeholders: t('range under other placeholders'),
    band: t('placebo gains'),
  },
  stats: {
    total: t('total nats'),
    outcome: t('outcome R'),
    z: 'z',
    gate: t('gate'),
    scale: 's',
    reviewed: t('reviewed'),
  },
  tips: {
    total: t('Sum of the gains that are known: nats by which the replies made what the agent did next likelier.'),
    outcome: t('How the conversation ended, from 0 to 1.'),
    z: t('The outcome against others of its kind, in standard deviations.'),
    gate: t('How much the information counts: little where outcomes differ, more where they do not.'),
    scale: t('Keeps the information from outweighing the outcome.'),
    reviewed: t('Conversations that somebody looked through: every turn labelled, left out or ticked off.'),
    beta: t('Weight of the information, by the preset.'),
    aInt: t('This gain against the gains that it is compared with, in standard deviations.'),
    advantage: t('What the turn is credited with: the outcome and its own information.'),
  },
  agentSaid: t('The agent said'),
  masked: t('Read in its place'),
  went: t('The agent went on'),
  legendTokens: t('likelier'),
  legendAgainst: t('less likely'),
  largest: t('Largest'),
  probe: t('Point at a word, or move through the words with the arrow keys, to see its log-probs.'),
  withReply: t('with the reply'),
  without: t('masked'),
  labels: {
    harmful: t('harmful'),
    needless: t('needless'),
    unclear: t('unclear'),
    useful: t('useful'),
    essential: t('essential'),
  },
  review: {
    legend: t('Was it worth asking?'),
    exclude: t('Leave out'),
    excluded: t('Left out'),
    whole: t('Reviewed'),
    again: t('Changed since'),
    changed: t('It was reviewed and went on since; tick it off again when you have looked'),
    wholeSeen: t('The whole conversation is looked through'),
    wholeExcluded: t('The whole conversation out of the loss; its scores stay'),
    seen: t('Seen'),
    note: t('Note'),
    notePlaceholder: t('Why? Exported with the row.'),
    undo: t('Undo'),
    inherited: t('Reviewed in the conversation that this one branched from.'),
  },
  compare: {
    first: t('First'),
    second: t('Second'),
    agreement: t('rank agreement'),
    difference: t('mean |difference|'),
  },
  flips: t('changes its sign'),
  task: { mean: t('mean outcome'), sd: 'sd', gate: t('gate'), here: t('this one'), fork: t('branches part here') },
  none: t('Nothing to show here yet.'),
} as const;

/** "2 turns left out". */
export const excludedTurns = (turns: number): string =>
  turns === 1 ? t('1 turn left out') : t('{turns} turns left out', { turns });

/** "Show all 1,048,576 characters". */
export const showAll = (length: number, of: string): string =>
  t('Show all {count} {of}', { count: length.toLocaleString('en'), of });
