import type { ReviewView } from '../../core/review-protocol.ts';
import type { TipContent } from './tip.ts';
import { WORDS } from './words.ts';

/** What a place of the page says of itself: its meaning, and the lines of arithmetic that made its number. */
export function tipContent({ head, rows }: ReviewView, target: HTMLElement): TipContent | null {
  const { tip, turn, title, text } = target.dataset;
  const row = rows.find(({ index }) => index === Number(turn ?? NaN));
  const of = (lines: readonly string[], start: RegExp): string[] => lines.filter((line) => start.test(line));
  const episode = (start: RegExp): string[] => of(head.arithmetic, start);
  switch (tip) {
    case 'text':
      return { title: title ?? '', lines: [text ?? ''], formula: [] };
    case 'total':
      return { title: WORDS.stats.total, lines: [WORDS.tips.total], formula: [] };
    case 'outcome':
      return { title: WORDS.stats.outcome, lines: [WORDS.tips.outcome, head.company], formula: episode(/^R =/) };
    case 'z':
      return { title: 'z', lines: [WORDS.tips.z, head.company], formula: episode(/^(z|R) |^Compared/) };
    case 'gate':
      return { title: 'gate', lines: [WORDS.tips.gate], formula: episode(/^[Gg]ate/) };
    case 'scale':
      return { title: 's', lines: [WORDS.tips.scale], formula: episode(/^s =|^Cap/) };
    case 'beta':
      return { title: 'β', lines: [WORDS.tips.beta], formula: [`beta = ${head.beta.value ?? 'null'}`] };
    case 'a_int':
      return { title: 'A_int', lines: [WORDS.tips.aInt], formula: of(row?.arithmetic ?? [], /^(?!A\[)/) };
    case 'advantage':
      return {
        title: WORDS.advantage,
        lines: [WORDS.tips.advantage, row?.against ?? ''],
        formula: row?.arithmetic ?? [],
      };
    default:
      return null;
  }
}
