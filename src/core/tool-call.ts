/** A tool that the agent wants run, as it said it. */
export interface ToolCall {
  readonly name: string;
  /** What it handed over, JSON of an object as the model wrote it; anything else where it wrote no such thing. */
  readonly arguments: string;
}

/**
 * The text of an action that calls tools: what the agent said, then each call in a block of its own, which is how open models
 * are trained to write them. Whatever a server's wire looks like, this is what is kept, shown, scored and exported.
 *
 *     <tool_call>
 *     {"name": "read_file", "arguments": {"path": "prices.py"}}
 *     </tool_call>
 */
export function toolCallText(said: string, calls: readonly ToolCall[]): string {
  const blocks = calls.map(
    ({ name, arguments: handed }) =>
      `${OPEN}\n{"name": ${quoted(name)}, "arguments": ${argumentsText(handed)}}\n${CLOSE}`,
  );
  return [...(said.trim() === '' ? [] : [said.trimEnd()]), ...blocks].join('\n');
}

/** The calls that a text ends in, and what was said before them; a text without calls is all said. */
export function splitToolCalls(text: string): { readonly said: string; readonly calls: readonly ToolCall[] } {
  const none = { said: text, calls: [] };
  const start = text.indexOf(OPEN);
  if (start < 0) return none;
  const calls: ToolCall[] = [];
  let rest = text.slice(start).trim();
  while (rest !== '') {
    const close = rest.indexOf(CLOSE);
    const call = rest.startsWith(OPEN) && close > 0 ? readCall(rest.slice(OPEN.length, close)) : null;
    if (call === null) return none;
    calls.push(call);
    rest = rest.slice(close + CLOSE.length).trim();
  }
  return { said: text.slice(0, start).trimEnd(), calls };
}

const OPEN = '<tool_call>';
const CLOSE = '</tool_call>';

function readCall(block: string): ToolCall | null {
  const call = parsed(block);
  if (typeof call !== 'object' || call === null || !('name' in call) || typeof call.name !== 'string') return null;
  const handed = 'arguments' in call ? call.arguments : {};
  return { name: call.name, arguments: typeof handed === 'string' ? handed : spaced(handed) };
}

/** An object as the model wrote it; what is none travels as a string, so that nothing of it is lost. */
function argumentsText(handed: string): string {
  const value = parsed(handed === '' ? '{}' : handed);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? spaced(value) : quoted(handed);
}

/** JSON with a blank behind each colon and comma: how chat templates print it, so that both read the same. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return quoted(value);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${quoted(key)}: ${spaced(inner)}`)
    .join(', ')}}`;
}

/** JSON in which nothing looks like the end of a block. */
function quoted(value: unknown): string {
  return JSON.stringify(value).replaceAll('tool_call>', String.raw`tool_call\u003e`);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
