/** The marker behind which an agent's answer begins (a setting). */
export const DEFAULT_ANSWER_MARKER = 'I WANT TO ANSWER:';
/** What Skip sends (a setting); scored like any reply. */
export const SKIP_SENTENCE = 'Use your judgement.';
/** Turns after which the whole message is taken as the answer (a setting). */
export const DEFAULT_MAX_TURNS = 10;

/** An agent's message, understood: a question with 0 or 2 to 5 options, or an answer with a message and code. */
export type ParsedAction =
  | {
      readonly kind: 'question';
      readonly question: string;
      readonly options: readonly string[];
      /** Index of the option that the agent would take; null: it says of none, or of several. */
      readonly recommended: number | null;
    }
  | { readonly kind: 'answer'; readonly message: string; readonly code: string };

const OPTION_LINE = /^[A-E][).]\s+\S/;
const OPTION_LETTER = /^[A-E][).]\s+/;
const RECOMMENDED = /\s+\(recommended\)$/i;
const OPENING_FENCE = /^ {0,3}(`{3,})[^`]*$/;

/**
 * Reads an agent's plain text; line ends may be CRLF, and come back as LF. The marker anywhere makes it an answer: before it
 * the message, after it the code, without the markdown fence it may stand in. Options are the last 2 to 5 consecutive lines
 * that begin with a letter A to E; fewer or more are no options. The one that ends in "(recommended)" is the agent's advice: a mark,
 * no part of the answer. At the last allowed turn the whole message is the answer.
 */
export function parseAction(
  text: string,
  { marker = DEFAULT_ANSWER_MARKER, lastTurn = false }: { marker?: string; lastTurn?: boolean } = {},
): ParsedAction {
  const plain = text.replaceAll('\r\n', '\n');
  const at = plain.indexOf(marker);
  if (at >= 0) {
    // Code on the marker's own line: the blank after the colon is no indentation.
    const code = plain.slice(at + marker.length).replace(/^[ \t]+/, '');
    return { kind: 'answer', message: plain.slice(0, at).trim(), code: unfence(code) };
  }
  if (lastTurn) return { kind: 'answer', message: '', code: unfence(plain) };
  const lines = plain.trimEnd().split('\n');
  let first = lines.length;
  while (first > 0 && OPTION_LINE.test(lines[first - 1] ?? '')) first -= 1;
  const found = lines.slice(first);
  if (found.length < 2 || found.length > 5) {
    return { kind: 'question', question: plain.trim(), options: [], recommended: null };
  }
  return {
    kind: 'question',
    question: lines.slice(0, first).join('\n').trim(),
    ...readOptions(found.map((line) => line.replace(OPTION_LETTER, '').trim())),
  };
}

/** An option that is nothing but its mark, and marks on several options, are words like any other. */
function readOptions(options: readonly string[]): { options: readonly string[]; recommended: number | null } {
  const [marked, ...others] = options.flatMap((option, index) => (RECOMMENDED.test(option) ? [index] : []));
  if (marked === undefined || others.length > 0) return { options, recommended: null };
  return { options: options.map((option) => option.replace(RECOMMENDED, '')), recommended: marked };
}

/**
 * Code without the blank lines around it. Where it opens with a markdown fence, only what stands inside: a fence that never
 * closes runs to the end, as in markdown. Ends in one line break unless it is empty.
 */
function unfence(text: string): string {
  const lines = text
    .replace(/^\s*\n/, '')
    .trimEnd()
    .split('\n');
  const fence = OPENING_FENCE.exec(lines[0] ?? '')?.[1];
  const body = (fence === undefined ? lines : insideFence(lines, fence)).join('\n').trimEnd();
  return body === '' ? '' : `${body}\n`;
}

function insideFence(lines: readonly string[], fence: string): string[] {
  const close = lines.findIndex(
    (line, index) => index > 0 && line.trim().startsWith(fence) && /^`+$/.test(line.trim()),
  );
  return lines.slice(1, close === -1 ? lines.length : close);
}

/** The instructions that open a conversation with a model that was not trained on this protocol. */
export function agentPrompt(marker = DEFAULT_ANSWER_MARKER): string {
  return [
    'You are a coding agent. A developer asks for code, and the request may leave out details that decide whether the code is right.',
    'If something essential is open, ask exactly one short question, and nothing else. When a few answers are likely, put them on the last lines, one each, as "A) ...", "B) ...", at most five; end the one that you would take with "(recommended)".',
    'Say in a few words what you understood from the last reply before you go on. Do not ask about what has been said, and do not ask more than you need.',
    `When you know enough, write one short sentence, then a line with "${marker}", then only the code.`,
  ].join('\n');
}
