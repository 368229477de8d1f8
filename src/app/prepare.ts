import type { Backend, RenderConversation, ScorerFacts } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import type { Message } from '../core/message.ts';
import type { ActionState, NullReason } from '../core/observation.ts';
import type { ContextSpan } from '../core/plan/plan.ts';
import { actionText, cutContext, rendererOf, type ContextPiece } from '../core/template.ts';
import { isToolName, toolDefinitions } from '../core/tools.ts';
import { segment, type Transcript, type TurnSpan } from '../core/transcript.ts';

/** An action in token ids, in the context it was rendered in. */
export interface PreparedAction {
  readonly turn: TurnSpan;
  readonly state: ActionState;
  readonly ids: readonly number[];
  /** Whose ids: the policy's own, or the scorer's tokenisation of the text. */
  readonly tokenSource: 'policy' | 'scorer';
  /** The rendered context in front of the action, tokenised as one text. */
  readonly contextIds: readonly number[];
  /** The same ids cut at the observations of the turn before; null, with the reason, where they cannot be cut. */
  readonly cut: readonly ContextSpan[] | null;
  readonly cutProblem: NullReason | null;
}

/** Token ids of a whole transcript, action by action, by the scorer's own template and tokenizer. */
export async function prepareTranscript(
  transcript: Transcript,
  backend: Backend,
  facts: ScorerFacts,
  signal?: AbortSignal,
): Promise<PreparedAction[]> {
  const { messages } = transcript;
  const turns = segment(messages);
  const states = turns.map((turn) => transcript.action_states?.[turn.index] ?? 'sampled');

  const renderBare = rendererOf(facts);
  const renderings: { readonly whole: string; readonly pieces: ContextPiece[] | null; readonly action: string }[] = [];
  for (const turn of turns) {
    const observations = turns[turn.index - 1]?.observations ?? [];
    const ended = states[turn.index] !== 'stopped';
    const tools = toolDefinitions((transcript.offered_tools?.[turn.index] ?? []).filter(isToolName));
    const render: RenderConversation = (shown, options) => renderBare(shown, { ...options, tools });
    const read = asRead(transcript, turn);
    renderings.push({
      ...(await cutContext(render, read.slice(0, turn.action), observations, signal)),
      action: await actionText({ render, endOfTurn: facts.template.endOfTurn }, read, turn.action, {
        ended,
        signal,
      }),
    });
  }
  const texts = renderings.flatMap(({ whole, pieces, action }) => [
    whole,
    action,
    ...(pieces ?? []).map((piece) => piece.text),
  ]);
  const tokenised = (await backend.tokenize(texts, signal)).values();
  const take = (): number[] => tokenised.next().value ?? [];

  const prepared: PreparedAction[] = [];
  for (const turn of turns) {
    const rendering = renderings[turn.index];
    if (!rendering) continue;
    const contextIds = take();
    const scorerIds = take();
    const spans = rendering.pieces?.map((piece) => ({ ids: take(), observation: piece.observation })) ?? null;
    const policyIds = transcript.action_ids?.[turn.index];
    const own = policyIds !== undefined && (await spells(backend, policyIds, rendering.action, signal));
    prepared.push({
      turn,
      state: states[turn.index] ?? 'sampled',
      ids: own ? policyIds : scorerIds,
      tokenSource: own ? 'policy' : 'scorer',
      contextIds,
      ...(rendersAlike(transcript.prompts?.[turn.index], contextIds, facts) && knowsTools(transcript, turn)
        ? cutAt(contextIds, rendering.pieces, spans)
        : { cut: null, cutProblem: 'template_mismatch' }),
    });
  }
  return prepared;
}

/** Whether the same model, when it chatted, read just these ids; nothing is known of another model's. */
function rendersAlike(
  prompt: { readonly model: string; readonly ids: readonly number[] } | null | undefined,
  contextIds: readonly number[],
  { identity }: ScorerFacts,
): boolean {
  if (prompt?.model !== identity.id) return true;
  return sameIds(prompt.ids, contextIds);
}

/** The messages in the roles in which the model of an action read them: one that was told of no tools gets their results as a user's words. */
function asRead({ messages, offered_tools }: Transcript, { index }: TurnSpan): readonly Message[] {
  if (offered_tools === undefined || (offered_tools[index] ?? []).length > 0) return messages;
  return messages.map((message) => (message.role === 'tool' ? { ...message, role: 'user' } : message));
}

/** Whether the tools that the model was told of are ones that can be described here: another version may have had others. */
function knowsTools({ offered_tools }: Transcript, { index }: TurnSpan): boolean {
  return (offered_tools?.[index] ?? []).every(isToolName);
}

/** A token that crosses an observation's edge shows as a cut that does not add up to the joint tokenisation. */
function cutAt(
  joint: readonly number[],
  pieces: readonly ContextPiece[] | null,
  spans: readonly ContextSpan[] | null,
): Pick<PreparedAction, 'cut' | 'cutProblem'> {
  if (pieces === null || spans === null) return { cut: null, cutProblem: 'template_mismatch' };
  const laid = spans.flatMap((span) => span.ids);
  return sameIds(laid, joint) ? { cut: spans, cutProblem: null } : { cut: null, cutProblem: 'straddle' };
}

/**
 * Whether ids recorded by the policy's server spell the action's text in the scorer's vocabulary: then the tokenizers agree on
 * this action and the exact ids are scored. With or without the end-of-turn token, which a stopped action lacks.
 */
async function spells(
  backend: Backend,
  ids: readonly number[],
  action: string,
  signal?: AbortSignal,
): Promise<boolean> {
  if (ids.length === 0) return false;
  try {
    const text = await backend.detokenize(ids, signal);
    return text === action;
  } catch (thrown) {
    // An id outside the scorer's vocabulary is another tokenizer, not a failure.
    if (thrown instanceof TurnwiseError && thrown.reason === 'bad_token') return false;
    throw thrown;
  }
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, position) => id === b[position]);
}
