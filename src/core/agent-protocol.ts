/** The marker behind which an agent's answer begins (a setting). */
export const DEFAULT_ANSWER_MARKER = 'I WANT TO ANSWER:';
/** What Skip sends (a setting); scored like any reply. */
export const SKIP_SENTENCE = 'Use your judgement.';
/** Turns after which the whole message is taken as the answer (a setting). */
export const DEFAULT_MAX_TURNS = 10;

/** An agent's message, understood: a question with 0 or 2 to 5 options, or an answer with a message and code. */
export type ParsedAction =
  | { readonly kind: 'question'; readonly question: string; readonly options: readonly string[] }
  | { readonly kind: 'answer'; readonly message: string; readonly code: string };

const OPTION_LINE = /^[A-E][).]\s+\S/;
const OPTION_LETTER = /^[A-E][).]\s+/;

/**
 * Reads an agent's plain text. The marker anywhere makes it an answer: before it the message, after it the code (a fence
 * around the code is taken off). Options are the last 2 to 5 consecutive lines that begin with a letter A to E; fewer or
 * more are no options. At the last allowed turn the whole message is the answer.
 */
export function parseAction(
  text: string,
  { marker = DEFAULT_ANSWER_MARKER, lastTurn = false }: { marker?: string; lastTurn?: boolean } = {},
): ParsedAction {
  const at = text.indexOf(marker);
  if (at >= 0) {
    return { kind: 'answer', message: text.slice(0, at).trim(), code: unfence(text.slice(at + marker.length)) };
  }
  if (lastTurn) return { kind: 'answer', message: '', code: unfence(text) };
  const lines = text.trimEnd().split('\n');
  let first = lines.length;
  while (first > 0 && OPTION_LINE.test(lines[first - 1] ?? '')) first -= 1;
  const found = lines.slice(first);
  if (found.length < 2 || found.length > 5) return { kind: 'question', question: text.trim(), options: [] };
  return {
    kind: 'question',
    question: lines.slice(0, first).join('\n').trim(),
    options: found.map((line) => line.replace(OPTION_LETTER, '').trim()),
  };
}

/** Code without the blank lines around it, and without one markdown fence if it is wrapped in one. */
function unfence(text: string): string {
  const body = text.replace(/^\s*\n/, '').trimEnd();
  const fenced = /^\s*```[^\n]*\n([\s\S]*?)\n?```\s*$/.exec(body);
  return `${fenced?.[1] ?? body}\n`;
}

/** The instructions that open a conversation with a model that was not trained on this protocol. */
export function agentPrompt(marker = DEFAULT_ANSWER_MARKER): string {
  return [
    'You are a coding agent. A developer asks for code, and the request may leave out details that decide whether the code is right.',
    'If something essential is open, ask exactly one short question, and nothing else. When a few answers are likely, put them on the last lines, one each, as "A) ...", "B) ...", at most five.',
    'Say in a few words what you understood from the last reply before you go on. Do not ask about what has been said, and do not ask more than you need.',
    `When you know enough, write one short sentence, then a line with "${marker}", then only the code.`,
  ].join('\n');
}
