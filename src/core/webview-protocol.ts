import { z } from 'zod';
import { consentScopeSchema } from './event.ts';
import { actionStateSchema, observationKindSchema, thumbSchema } from './observation.ts';

const index = z.int().nonnegative();
const text = z.string();

/** One reply as the chat shows it. */
export const replyViewSchema = z.object({
  kind: observationKindSchema,
  text,
  /** The option that was clicked (or clicked, then edited), without its letter. */
  option: text.nullable(),
});
export type ReplyView = z.infer<typeof replyViewSchema>;

/** The versions of one place of a conversation, each in an episode of its own: `branches.ts`. */
export const versionsSchema = z.object({
  shown: z.int().positive(),
  count: z.int().positive(),
  previous: text.nullable(),
  next: text.nullable(),
});
export type VersionsView = z.infer<typeof versionsSchema>;

/** What one action cost. Each figure is null where the server did not tell it. */
export const figuresSchema = z.object({
  model: text,
  promptTokens: z.int().nullable(),
  tokens: z.int().nullable(),
  firstTokenMs: z.number().nullable(),
  latencyMs: z.number(),
});
export type FiguresView = z.infer<typeof figuresSchema>;

/** What the developer thinks of a turn or of a conversation. */
export const ratingSchema = z.object({ thumb: thumbSchema.nullable(), note: text.nullable() });
export type RatingView = z.infer<typeof ratingSchema>;
/** A tool that the agent called: what it did, and with what (`prices.py`). Its result is the reply at the same place. */
export const callViewSchema = z.object({ name: text, detail: text });
export type CallView = z.infer<typeof callViewSchema>;

/** One turn as the chat shows it: what the agent said, and what came back. */
export const turnViewSchema = z.object({
  index,
  kind: z.enum(['question', 'answer', 'tool_call']),
  state: actionStateSchema,
  /** Markdown: the question, or the message in front of the code. */
  prose: text,
  options: z.array(text),
  /** Index of the option that the agent would take; null: it does not say. */
  recommended: index.nullable(),
  /** Proposed code; null for anything but an answer. */
  code: text.nullable(),
  calls: z.array(callViewSchema),
  replies: z.array(replyViewSchema),
  decision: z.enum(['accepted', 'rejected']).nullable(),
  rating: ratingSchema,
  /** Null for an action that was not made here: inherited, or imported. */
  figures: figuresSchema.nullable(),
  /** Other actions in this place, and other replies to this action; null: there are none. */
  versions: versionsSchema.nullable(),
  replyVersions: versionsSchema.nullable(),
  /** Tests that were run on it. */
  tests: z.object({ passed: index, total: index }).nullable(),
  /** What "Run Tests" would run on an accepted proposal; null: nothing is known, or nothing may run in this workspace. */
  testCommand: text.nullable(),
});
export type TurnView = z.infer<typeof turnViewSchema>;

/** Something of the workspace that may go with the next message. */
export const contextChipSchema = z.object({
  id: text,
  /** `active`: the file in the editor, offered until it is switched on. */
  kind: z.enum(['active', 'selection', 'file']),
  label: text,
  /** The whole path, and how much it is. */
  title: text,
  /** Whether it goes with the next message. */
  on: z.boolean(),
});
export type ContextChip = z.infer<typeof contextChipSchema>;

/** What the chat offers next; `blocked` explains itself in `status.warning`. */
export const offerSchema = z.enum(['request', 'reply', 'stop', 'continue', 'wait', 'new', 'blocked']);
export type Offer = z.infer<typeof offerSchema>;

/** All that may change without a turn changing. Small, so it is sent whole. */
export const statusViewSchema = z.object({
  offer: offerSchema,
  /** The action that runs and its text so far; deltas append to it. */
  running: z.object({ turn: index, text }).nullable(),
  /** Why the last action brought no turn, in a sentence that ends in what to do; null: nothing went wrong. */
  trouble: text.nullable(),
  /** What the agent had said when that action broke off, which is no turn; empty: nothing. */
  partial: text,
  consent: consentScopeSchema,
  chatServer: z.object({ name: text, remote: z.boolean() }),
  /** The sentence that goes with every output of a toy model. */
  notice: text.nullable(),
  /** What stands in the way, or works only in part, with what to do. */
  warning: text.nullable(),
  /** Requests that this model can make something of, to begin with. */
  examples: z.array(text).readonly(),
  /** The words behind which an answer begins. */
  marker: text,
  /** Whether words may be edited and actions asked for again, each in a branch. */
  mayBranch: z.boolean(),
  /** Of the conversation as a whole. */
  rating: ratingSchema,
  /** Other requests in this one's place, and other goes at the action that is due; null: there are none. */
  requestVersions: versionsSchema.nullable(),
  nextVersions: versionsSchema.nullable(),
  context: z.array(contextChipSchema).readonly(),
  /** A command that the agent asks to have run, and that waits for the developer's click; null: none does. */
  approval: z.object({ command: text }).nullable(),
});
export type StatusView = z.infer<typeof statusViewSchema>;

/** Words that are edited in the composer: an option of the open question, the request, or a reply that was given. */
export const editTargetSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('option'), turn: index, option: index }),
  z.object({ at: z.literal('request') }),
  z.object({ at: z.literal('reply'), turn: index }),
]);
export type EditTarget = z.infer<typeof editTargetSchema>;

/** An edit that is not sent yet; the draft of other words waits behind it. */
export const editSchema = z.object({ target: editTargetSchema, text });
export type EditView = z.infer<typeof editSchema>;

/** Everything the chat shows of one conversation. `earlier` turns before the first one listed were left out. */
export const chatViewSchema = z.object({
  episode: text.nullable(),
  request: text.nullable(),
  earlier: index,
  turns: z.array(turnViewSchema),
  status: statusViewSchema,
  draft: text,
  edit: editSchema.nullable(),
});
export type ChatView = z.infer<typeof chatViewSchema>;

/**
 * The colours of a code: runs over its text in order, each `[length in UTF-16 units, index of its colour or -1, look]`; look
 * is a sum of 1 italic, 2 bold, 4 underlined. What the runs do not reach is plain. A colour is what a theme says, no CSS.
 */
export const highlightSchema = z.object({
  colours: z.array(text.regex(/^#[0-9a-f]{6}$/i)),
  runs: z.array(z.tuple([index, z.int().min(-1), z.int().min(0).max(7)])),
});
export type HighlightView = z.infer<typeof highlightSchema>;

/** Longest code that is coloured, in UTF-16 units. */
export const MOST_HIGHLIGHTED = 100_000;

/**
 * Host to webview. `seq` counts from the last snapshot without gaps; a webview that misses one asks with `ready`. A snapshot
 * comes with `seq` 0.
 */
export const hostMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), seq: z.literal(0), view: chatViewSchema }),
  /** The turns that changed or are new, and the status. */
  z.object({
    type: z.literal('update'),
    seq: index,
    request: text.nullable(),
    turns: z.array(turnViewSchema),
    status: statusViewSchema,
  }),
  /** Text that the running action went on with. */
  z.object({ type: z.literal('delta'), seq: index, turn: index, text }),
  /** The words sent under `id` are durable: the draft may go. */
  z.object({ type: z.literal('accepted'), seq: index, id: text }),
  /** The words sent under `id` were not taken; the draft stays. */
  z.object({ type: z.literal('refused'), seq: index, id: text, message: text }),
  z.object({ type: z.literal('focus'), seq: index }),
  /** Files of the workspace that fit what stands behind an `@`, the best first. */
  z.object({ type: z.literal('files'), seq: index, query: text, paths: z.array(text).readonly() }),
  /** Turns that were left out so far, to stand before the others; `earlier` still are. */
  z.object({ type: z.literal('earlier'), seq: index, earlier: index, turns: z.array(turnViewSchema) }),
  /** The colours asked for under `request`. */
  z.object({ type: z.literal('highlighted'), seq: index, request: index, highlight: highlightSchema }),
  /** The editor's theme is another: colours have to be asked for again. */
  z.object({ type: z.literal('theme'), seq: index }),
]);
export type HostMessage = z.infer<typeof hostMessageSchema>;

/** Longest text that the composer may send, in UTF-16 units. */
export const MAX_WORDS = 2_000_000;
const words = z.string().min(1).max(MAX_WORDS);
const id = z.string().min(1).max(64);
const episode = z.string().max(256).nullable();

/** Webview to host: what the developer wants. `episode` is the conversation it was shown with, so that a late click hits no other. */
export const webviewMessageSchema = z.discriminatedUnion('type', [
  /** The page is up, or lost count: send a snapshot. */
  z.object({ type: z.literal('ready') }),
  /** The request, or a reply in own words; with `option` it began as that option and was edited. */
  z.object({ type: z.literal('send'), episode, id, text: words, option: index.nullable() }),
  z.object({ type: z.literal('choose'), episode, id, turn: index, option: index }),
  z.object({ type: z.literal('skip'), episode, id, turn: index }),
  /** The request or a reply in other words: a branch. */
  z.object({ type: z.literal('edit_request'), episode, id, text: words }),
  z.object({ type: z.literal('edit_reply'), episode, id, turn: index, text: words }),
  /** Another action in place of this turn's, or of one that failed: a branch. */
  z.object({ type: z.literal('regenerate'), episode, turn: index }),
  /** Show another version: an episode that `VersionsView` names. */
  z.object({ type: z.literal('show_version'), episode, target: z.string().min(1).max(256) }),
  /** A thumb on a turn, or (turn null) on the conversation; null takes it back. */
  z.object({ type: z.literal('rate'), episode, turn: index.nullable(), thumb: thumbSchema.nullable() }),
  /** Ask for the note that goes with a thumb. */
  z.object({ type: z.literal('note'), episode, turn: index.nullable() }),
  z.object({ type: z.literal('stop'), episode }),
  z.object({ type: z.literal('continue'), episode }),
  z.object({ type: z.literal('copy'), episode, turn: index }),
  /** Show the proposal in the diff editor. */
  z.object({ type: z.literal('apply'), episode, turn: index }),
  z.object({ type: z.literal('reject'), episode, turn: index }),
  /** Write the proposal at the cursor. */
  z.object({ type: z.literal('insert'), episode, turn: index }),
  /** What was asked under `status.approval`: run it, or do not. */
  z.object({ type: z.literal('approve'), episode, run: z.boolean() }),
  /** Run the tests of the workspace on an accepted proposal. */
  z.object({ type: z.literal('run_tests'), episode, turn: index }),
  z.object({ type: z.literal('find_files'), query: z.string().max(256) }),
  z.object({ type: z.literal('attach'), path: z.string().min(1).max(4096) }),
  z.object({ type: z.literal('detach'), chip: z.string().max(64) }),
  z.object({ type: z.literal('toggle_active') }),
  z.object({ type: z.literal('consent'), episode, scope: consentScopeSchema }),
  z.object({ type: z.literal('draft'), episode, text: z.string().max(MAX_WORDS) }),
  /** The edit that is being written; null: given up, or sent. */
  z.object({ type: z.literal('edit_draft'), episode, edit: editSchema.nullable() }),
  z.object({ type: z.literal('open_link'), href: z.string().max(8192) }),
  z.object({ type: z.literal('choose_server') }),
  z.object({ type: z.literal('new') }),
  /** Ask for the colours of a code. */
  z.object({
    type: z.literal('highlight'),
    request: index,
    language: z.string().max(64),
    code: z.string().max(MOST_HIGHLIGHTED),
  }),
  /** Show the turns that a snapshot left out. */
  z.object({ type: z.literal('earlier') }),
]);
export type WebviewMessage = z.infer<typeof webviewMessageSchema>;

/** A link that may be handed to the system's browser: http and https only, as the URL parser reads it; else null. */
export function safeLink(href: string): string | null {
  try {
    const url = new URL(href);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}
