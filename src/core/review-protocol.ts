import { z } from 'zod';
import { MARK_IDS } from './marks/mark.ts';
import { observationKindSchema } from './observation.ts';
import { NOTE_LIMIT, reviewLabelSchema } from './override.ts';

const index = z.int().nonnegative();
const text = z.string();

/** A number as it is shown: `label` is `value` at the shown precision, or where that is null why it is unknown, in words. */
export const figureSchema = z.object({ value: z.number().nullable(), label: text });
export type Figure = z.infer<typeof figureSchema>;

/** [low, high] in the unit of what it belongs to. */
const spanSchema = z.tuple([z.number(), z.number()]);
export type Span = z.infer<typeof spanSchema>;

/** One bar, in nats: whiskers for A/A noise and for what other placeholders gave; null where neither was measured. */
export const barSchema = figureSchema.extend({ noise: spanSchema.nullable(), placeholders: spanSchema.nullable() });
export type Bar = z.infer<typeof barSchema>;

/** What stands out about a turn or an episode, and by which rule. */
export const markSchema = z.object({ id: z.enum(MARK_IDS), title: text, rule: text });
export type Mark = z.infer<typeof markSchema>;

/** What reviewers laid over a turn or the episode (`override.ts`); the score stays what it is. */
const overrideSchema = z.object({
  label: reviewLabelSchema.nullable(),
  note: text.nullable(),
  excluded: z.boolean(),
  reviewed: z.boolean(),
});

/** One turn in the picture. */
export const reviewRowSchema = z.object({
  index,
  kind: z.enum(['question', 'answer', 'tool_call']),
  /** What the agent said and what came back, in one line each; `reply` null: nothing did. */
  said: text,
  reply: text.nullable(),
  /** A gain is on its way. */
  pending: z.boolean(),
  total: barSchema,
  /** The chosen estimator's gain, the mean per token by default. */
  mean: barSchema,
  advantage: figureSchema,
  aInt: figureSchema,
  /** What the advantage was measured against. */
  against: text,
  caution: text.nullable(),
  marks: z.array(markSchema),
  override: overrideSchema,
  /** Of the conversation that this one branched from: reviewed there. */
  inherited: z.boolean(),
  /** The lines of `turnwise credit --explain` about this turn. */
  arithmetic: z.array(text),
});
export type ReviewRow = z.infer<typeof reviewRowSchema>;

/** The range that a column of bars is drawn over, and where it is ticked, in nats. */
export const axisSchema = z.object({ low: z.number(), high: z.number(), ticks: z.array(figureSchema) });
export type Axis = z.infer<typeof axisSchema>;

/** Everything above and around the turns. */
export const reviewHeadSchema = z.object({
  episode: text,
  title: text,
  /** Who talked, when, in how many turns. */
  about: text,
  /** Sum of the known gains. */
  total: figureSchema,
  outcome: figureSchema,
  z: figureSchema,
  gate: figureSchema,
  scale: figureSchema,
  beta: figureSchema,
  /** With what the episode is compared. */
  company: text,
  /** Who scored, and how; null: nobody has. */
  scoredBy: z.object({ name: text, how: text, stale: text.nullable() }).nullable(),
  /** What the second column of bars is. */
  estimator: z.object({ name: text, equation: text }),
  axes: z.object({ total: axisSchema, mean: axisSchema }),
  /** Where gains of replies of another task lie, in the second column; null: not measured. */
  band: z.object({ low: z.number(), high: z.number(), words: text }).nullable(),
  /** What the whiskers for noise are, or why there are none; null: there is no gain yet. */
  noise: text.nullable(),
  arithmetic: z.array(text),
  override: overrideSchema,
  /** It was ticked off, and went on since. */
  changed: z.boolean(),
  /** Conversations that were looked through, of all; null: not counted. */
  progress: z.object({ reviewed: index, total: index, words: text }).nullable(),
  /** What to do where there is nothing to see yet, or something is in the way; null: all is there. */
  help: text.nullable(),
});
export type ReviewHead = z.infer<typeof reviewHeadSchema>;

export const reviewViewSchema = z.object({ head: reviewHeadSchema, rows: z.array(reviewRowSchema) });
export type ReviewView = z.infer<typeof reviewViewSchema>;

/** A text that may be cut: `length` is that of the whole, in characters. */
export const passageSchema = z.object({ text, length: index });
export type Passage = z.infer<typeof passageSchema>;

/** Tokens of the next action: lists of one length, an entry a character run; the log-probs of a run's tokens are added up. */
export const tokenRunsSchema = z.object({
  /** What each run says; null: the scorer that knows is not at hand. */
  texts: z.array(text).nullable(),
  /** Tokens in each run: more than one where a character is spread over several. */
  counts: z.array(index),
  factual: z.array(z.number()),
  masked: z.array(z.number()),
  /** factual - masked, D_j in nats. */
  shifts: z.array(z.number()),
  /** Runs that there are; fewer may be listed. */
  length: index,
  /** The five largest |D|, the largest first, as places in the lists. */
  largest: z.array(index),
});
export type TokenRuns = z.infer<typeof tokenRunsSchema>;

/** Why a turn was worth what it was: its words, what stood in their place, and the next action token by token. */
export const turnDetailSchema = z.object({
  index,
  said: passageSchema,
  replies: z.array(
    z.object({
      kind: observationKindSchema,
      words: text,
      passage: passageSchema,
      /** Its own gain in total nats, where several came back. */
      alone: figureSchema.nullable(),
    }),
  ),
  /** What the scorer read in the replies' place; null: nothing was masked. */
  masked: z.object({ passage: passageSchema.nullable(), words: text }).nullable(),
  next: z.object({
    passage: passageSchema.nullable(),
    tokens: tokenRunsSchema.nullable(),
    /** Why there are no tokens, or no words for them; null: there are. */
    why: text.nullable(),
  }),
});
export type TurnDetail = z.infer<typeof turnDetailSchema>;

/** Parts of a turn that may be cut. */
export const partSchema = z.enum(['said', 'replies', 'masked', 'next']);
export type Part = z.infer<typeof partSchema>;

/** One scoring that can be compared. */
const scoringSchema = z.object({ key: text, name: text, how: text, shown: z.boolean() });

/** Two scorings of one episode, turn by turn. */
export const compareViewSchema = z.object({
  scorings: z.array(scoringSchema),
  a: text.nullable(),
  b: text.nullable(),
  agreement: figureSchema,
  difference: figureSchema,
  /** In words: turns that only one of them scored. */
  remark: text,
  axis: axisSchema,
  turns: z.array(z.object({ index, said: text, a: figureSchema, b: figureSchema, flips: z.boolean() })),
});
export type CompareView = z.infer<typeof compareViewSchema>;

/** Episodes of one task side by side. */
export const groupViewSchema = z.object({
  words: text,
  mean: figureSchema,
  sd: figureSchema,
  gate: figureSchema,
  axis: axisSchema,
  /** The longest of the episodes, in turns. */
  turns: index,
  episodes: z.array(
    z.object({
      id: text,
      title: text,
      shown: z.boolean(),
      /** Generations from the root. */
      depth: index,
      /** Where it left the conversation that it is a branch of. */
      fork: index.nullable(),
      outcome: figureSchema,
      total: figureSchema,
      turns: z.array(z.object({ index, total: figureSchema, advantage: figureSchema, inherited: z.boolean() })),
    }),
  ),
});
export type GroupView = z.infer<typeof groupViewSchema>;

/** Pictures over all conversations: SVG that our own code drew of numbers alone. */
export const trendsViewSchema = z.object({
  words: text,
  /** How gains agree with the thumbs that people gave. */
  thumbs: text.optional(),
  pictures: z.array(z.object({ id: text, title: text, words: text, svg: text })),
});
export type TrendsView = z.infer<typeof trendsViewSchema>;

export const tabSchema = z.enum(['turns', 'task', 'compare', 'trends']);
export type Tab = z.infer<typeof tabSchema>;

/** Host to page. `seq` counts from the last snapshot without gaps; a page that misses one asks with `ready`. */
export const reviewHostMessageSchema = z.discriminatedUnion('type', [
  /** `view` null: there is no such episode (any more), or none was asked for; `words` say what to do. */
  z.object({ type: z.literal('snapshot'), seq: z.literal(0), view: reviewViewSchema.nullable(), words: text }),
  /** The rows that changed or are new, and the head where it changed. */
  z.object({
    type: z.literal('update'),
    seq: index,
    head: reviewHeadSchema.nullable(),
    rows: z.array(reviewRowSchema),
  }),
  z.object({ type: z.literal('detail'), seq: index, detail: turnDetailSchema }),
  z.object({ type: z.literal('compare'), seq: index, compare: compareViewSchema }),
  z.object({ type: z.literal('group'), seq: index, group: groupViewSchema.nullable() }),
  z.object({ type: z.literal('trends'), seq: index, trends: trendsViewSchema }),
  /** Show this tab, and this turn. */
  z.object({ type: z.literal('go'), seq: index, tab: tabSchema, turn: index.nullable() }),
  /** What was asked for could not be done. */
  z.object({ type: z.literal('refused'), seq: index, message: text }),
]);
export type ReviewHostMessage = z.infer<typeof reviewHostMessageSchema>;

const turn = index.nullable();

/** Page to host. `turn` null: the whole episode. */
export const reviewPageMessageSchema = z.discriminatedUnion('type', [
  /** The page is up, or lost count: send a snapshot. */
  z.object({ type: z.literal('ready') }),
  /** This turn is looked at: send its words and tokens. */
  z.object({ type: z.literal('select'), turn: index }),
  /** Send all of what was cut. */
  z.object({ type: z.literal('whole'), turn: index, part: partSchema }),
  z.object({ type: z.literal('tab'), tab: tabSchema }),
  z.object({ type: z.literal('compare'), a: text.max(256), b: text.max(256) }),
  z.object({ type: z.literal('label'), turn, label: reviewLabelSchema.nullable() }),
  z.object({ type: z.literal('note'), turn, note: text.max(NOTE_LIMIT).nullable() }),
  z.object({ type: z.literal('exclude'), turn, excluded: z.boolean() }),
  /** Looked at, and nothing to say. */
  z.object({ type: z.literal('reviewed'), turn, reviewed: z.boolean() }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('open_episode'), episode: text.max(256) }),
  z.object({ type: z.literal('open_chat') }),
  z.object({ type: z.literal('score') }),
]);
export type ReviewPageMessage = z.infer<typeof reviewPageMessageSchema>;

/** What a page keeps so that its panel comes back after a reload: which episode, and where its reader was. */
export const reviewPageStateSchema = z.object({
  episode: text.max(256).nullable(),
  tab: tabSchema.catch('turns'),
  turn: turn.catch(null),
});
export type ReviewPageState = z.infer<typeof reviewPageStateSchema>;
