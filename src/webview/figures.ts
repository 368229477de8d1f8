import type { FiguresView } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

/** What an action cost, in a few words: tokens read and written, and time. What the server did not tell is said to be so. */
export function figuresText({ promptTokens, tokens, latencyMs }: FiguresView): string {
  return `${tokensText(promptTokens, tokens)} · ${timeText(latencyMs)}`;
}

/** The same with what there is no room for: when the first word came, and which model wrote. */
export function figuresDetail({ firstTokenMs, model }: FiguresView): string {
  const first = firstTokenMs === null ? t('not told') : t('after {time}', { time: timeText(firstTokenMs) });
  return t('First word {first}. Model: {model}', { first, model });
}

function tokensText(read: number | null, written: number | null): string {
  if (read === null && written === null) return t('tokens not told by the server');
  const figure = (count: number | null): string => count?.toLocaleString('en') ?? t('unknown');
  return t('{read} tokens in, {written} out', { read: figure(read), written: figure(written) });
}

/** "40 ms", "1.2 s", "2 min 5 s". */
function timeText(ms: number): string {
  if (ms < 995) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
