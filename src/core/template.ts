import type { RenderConversation, ScorerFacts } from './backend.ts';
import type { Message } from './message.ts';

/** Part of a rendered context: text that the template or other turns wrote, or the text of one observation. */
export interface ContextPiece {
  readonly text: string;
  readonly observation: boolean;
}

// Unlikely in any conversation, and plain enough that no template rewrites it.
const SENTINEL = 'turnwise0observation0';

/** How conversations are rendered for a scorer: by its template here, or, where the server keeps that to itself, by asking it. */
export function rendererOf({ template, render }: Pick<ScorerFacts, 'template' | 'render'>): RenderConversation {
  // The template language is as large as a chat: who only chats never loads it.
  return (
    render ?? (async (messages, options) => (await import('./render-chat.ts')).renderChat(template, messages, options))
  );
}

/**
 * The context of an action, cut at the observations to be masked: rendered messages before the action with the generation
 * prompt, so that only the observations' own text is marked and every role marker stays outside (spec S1). Null where an
 * observation's text cannot be found again in the rendering, because the template rewrites it.
 */
export async function cutContext(
  render: RenderConversation,
  messages: readonly Message[],
  observations: readonly number[],
  signal?: AbortSignal,
): Promise<{ readonly whole: string; readonly pieces: ContextPiece[] | null }> {
  const whole = await render(messages, { addGenerationPrompt: true, signal });
  if (observations.length === 0) return { whole, pieces: [{ text: whole, observation: false }] };
  const marked = await render(
    messages.map((message, position) =>
      observations.includes(position) ? { ...message, content: sentinelOf(position) } : message,
    ),
    { addGenerationPrompt: true, signal },
  );
  return { whole, pieces: cutRendered(whole, marked, messages, observations) };
}

function cutRendered(
  whole: string,
  marked: string,
  messages: readonly Message[],
  observations: readonly number[],
): ContextPiece[] | null {
  const pieces: ContextPiece[] = [];
  let rest = marked;
  for (const position of observations) {
    const sentinel = sentinelOf(position);
    const at = rest.indexOf(sentinel);
    if (at < 0 || rest.includes(sentinel, at + sentinel.length)) return null;
    pieces.push({ text: rest.slice(0, at), observation: false });
    // Some templates trim what they print: the span is what they printed, not what was sent.
    const before = pieces.map((piece) => piece.text).join('');
    const content = messages[position]?.content ?? '';
    const printed = [content, content.trim()].find((text) => whole.startsWith(before + text));
    if (printed === undefined) return null;
    pieces.push({ text: printed, observation: true });
    rest = rest.slice(at + sentinel.length);
  }
  pieces.push({ text: rest, observation: false });
  return pieces.map((piece) => piece.text).join('') === whole ? pieces : null;
}

/** The text of an action as the model had to emit it: its content and the end-of-turn token that the template shows behind it. */
export async function actionText(
  { render, endOfTurn }: { readonly render: RenderConversation; readonly endOfTurn: readonly string[] },
  messages: readonly Message[],
  action: number,
  { ended, signal }: { readonly ended: boolean; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const content = messages[action]?.content ?? '';
  if (!ended) return content;
  const rendered = await render(messages.slice(0, action + 1), { addGenerationPrompt: false, signal });
  const at = rendered.lastIndexOf(content.trim());
  const tail = rendered.slice(at + content.trim().length).trimStart();
  const endings = endOfTurn.filter((ending) => ending !== '' && tail.startsWith(ending));
  return content + endings.reduce((best, ending) => (ending.length > best.length ? ending : best), '');
}

function sentinelOf(position: number): string {
  return `${SENTINEL}${position}x`;
}
