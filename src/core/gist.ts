import { splitContext } from './context-text.ts';
import type { TurnState } from './episode-state.ts';
import { splitToolCalls } from './tool-call.ts';
import { callView } from './tool-view.ts';

/** What the developer said of their own, for a line in a list: what was attached to it is not the gist. */
export function wordsOf(text: string): string {
  const { words } = splitContext(text);
  return words.trim() === '' ? text : words;
}

/** What an action was about, for a line in a list: its question or message; of calls what was looked up. */
export function gistOf({
  kind,
  question,
  message,
  text,
}: Pick<TurnState, 'kind' | 'question' | 'message' | 'text'>): string {
  const said = question ?? message;
  if (said !== null) return said;
  const { said: before, calls } = splitToolCalls(text);
  if (kind !== 'tool_call' || calls.length === 0) return text;
  const looked = calls.map(callView).map(({ name, detail }) => (detail === '' ? name : `${name} ${detail}`));
  return [...(before.trim() === '' ? [] : [before]), looked.join(', ')].join(' ');
}
