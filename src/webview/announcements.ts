import { parseAction } from '../core/agent-protocol.ts';
import { visibleControls } from '../core/visible-controls.ts';
import type { ChatView, TurnView } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

/** Nobody listens to more of one message than this, in UTF-16 units; the rest is there to be read. */
const MOST_SPOKEN = 4_000;

/**
 * What a screen reader is told of a conversation that goes on: each sentence once it is finished, then the options or that code
 * is there, and why the agent broke off. Never half a word, never the same twice, nothing of what was there before.
 */
export class Announcements {
  /** The running action whose sentences are read out, and how much of its words. */
  #turn: number | null = null;
  #said = '';

  /** What is new in a view since the one before it, in words; null: nothing to tell. */
  next(before: ChatView | null, after: ChatView): string | null {
    const same = before !== null && (before.episode === after.episode || before.episode === null);
    if (!same) {
      this.#turn = null;
      return null;
    }
    const { running, trouble, approval } = after.status;
    if (approval !== null && before.status.approval?.command !== approval.command) {
      return t('The agent wants to run {command}. It waits for your word.', { command: approval.command });
    }
    const last = after.turns.at(-1);
    if (last !== undefined && before.turns.at(-1)?.index !== last.index) return this.#whole(last);
    if (running !== null) return this.#more(running.turn, running.text, after.status.marker);
    this.#turn = null;
    return trouble !== null && before.status.trouble !== trouble ? trouble : null;
  }

  #more(turn: number, text: string, marker: string): string | null {
    if (text.length > MOST_SPOKEN) return null;
    if (this.#turn !== turn) {
      this.#turn = turn;
      this.#said = '';
    }
    const finished = finishedSentences(proseOf(text, marker));
    if (!finished.startsWith(this.#said) || finished.length === this.#said.length) return null;
    const added = finished.slice(this.#said.length);
    this.#said = finished;
    return readable(added);
  }

  #whole(turn: TurnView): string | null {
    const said = this.#turn === turn.index ? this.#said : '';
    this.#turn = null;
    const prose = turn.prose.slice(0, MOST_SPOKEN);
    const rest = prose.startsWith(said.trim()) ? prose.slice(said.trim().length) : prose;
    const options = turn.options.map((option, index) => `${'ABCDE'.charAt(index)}: ${option}.`).join(' ');
    const advice =
      turn.recommended === null ? '' : t('Recommended: {letter}.', { letter: 'ABCDE'.charAt(turn.recommended) });
    const code = turn.code === null ? '' : t('The agent proposes code.');
    return readable([rest, options, advice, code].filter((part) => part.trim() !== '').join(' '));
  }
}

/** The part of a text that has come to the end of a sentence or line; what follows it may still change. */
export function finishedSentences(text: string): string {
  let end = 0;
  for (const found of text.matchAll(/[.!?…:]["'”’)\]*_`]*(?=\s)|[。！？]|\n/gu)) end = found.index + found[0].length;
  return text.slice(0, end);
}

/** Of a message that is not whole, what is neither code nor the beginning of options: those are told when they are whole. */
function proseOf(text: string, marker: string): string {
  const parsed = parseAction(text, { marker });
  if (parsed.kind === 'answer') return `${parsed.message}\n`;
  const options = /^A[).]/m.exec(text);
  const fence = /^ {0,3}```/m.exec(text);
  return text.slice(0, Math.min(options?.index ?? text.length, fence?.index ?? text.length));
}

/** Markdown's own signs are no words. */
function readable(text: string): string | null {
  const words = text
    .replace(/^ {0,3}(?:#{1,6}|>|[-*+])\s+/gm, '')
    .replace(/\*\*|__|`/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return words === '' ? null : visibleControls(words);
}
