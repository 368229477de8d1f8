import type { EpisodeDigest } from '../../core/episode-digest.ts';
import { MARK_IDS, type MarkId } from '../../core/marks/mark.ts';
import { reduce } from '../../core/reduce.ts';
import { oneLine } from '../../core/review.ts';
import { createRedactor } from '../../core/secrets/redactor.ts';
import { trendsOf, type Trends } from '../../core/trends.ts';
import type { DigestFacts } from '../../store/digests.ts';
import type { Journal } from '../../store/journal.ts';
import { EpisodeIndex } from '../episode-index.ts';
import { DEFAULT_SCORE_OPTIONS } from '../score.ts';
import { knownValues } from '../secret-values.ts';
import { yardstick, type Yardstick } from '../yardstick.ts';

/** One conversation that a mark points to; no title where it may not leave this machine. */
export interface MarkedEpisode {
  readonly title: string | null;
  readonly marks: readonly MarkId[];
  readonly gain: number | null;
  readonly outcome: number | null;
}

/** Everything that a report says. */
export interface ReportData {
  readonly trends: Trends;
  readonly agreement: Yardstick;
  /** How many conversations carry each mark. */
  readonly marks: Readonly<Record<MarkId, number>>;
  readonly marked: readonly MarkedEpisode[];
  readonly reviewed: { readonly reviewed: number; readonly total: number };
  /** Who scored, in words; null where nothing is scored. */
  readonly scorer: string | null;
  /** Conversations that cannot be read. */
  readonly unreadable: number;
}

/** Marked conversations that a report names. */
const NAMED = 20;
/** Of a title that is shown, UTF-16 units. */
const TITLE_LENGTH = 80;

/** Reads a store for a report: figures of all conversations by its newest scoring, words of those alone that may be exported. */
export function reportData(journal: Journal): ReportData {
  const [newest] = journal.scorings();
  const index = new EpisodeIndex({
    journal,
    options: () => DEFAULT_SCORE_OPTIONS,
    scorer: () => '',
    scorerKey: () => newest?.scorerKey ?? null,
  });
  index.catchUp();
  const view = { scorerKey: newest?.scorerKey ?? null, optionsKey: newest?.optionsKey ?? '', scorer: '' };
  // Numbers of two scorers, or of two sets of options, are never in one figure.
  const facts = journal.digests.facts(view, { alone: true });
  const trends = trendsOf(facts);
  const [first] = newest === undefined ? [] : journal.listScored(newest.scorerKey, newest.optionsKey, 1);
  const marksOf = ({ score }: DigestFacts): MarkId[] =>
    MARK_IDS.filter((id) => score?.marks.some(({ ids }) => ids.includes(id)));
  const redactor = createRedactor(knownValues([]));
  // Of the whole words: half a secret, at the end of a shortened title, looks like nothing.
  const titleOf = ({ id, exportable }: EpisodeDigest): string | null => {
    if (!exportable) return null;
    const { title, request } = reduce(journal.read(id));
    const words = title ?? request;
    return words === null ? null : oneLine(redactor.text(words), TITLE_LENGTH);
  };
  return {
    trends,
    agreement: yardstick(trends.rated.map((rated) => ({ ...rated, note: null }))),
    marks: Object.fromEntries(
      MARK_IDS.map((id) => [id, facts.filter((own) => marksOf(own).includes(id)).length]),
    ) as Record<MarkId, number>,
    marked: facts
      .filter((own) => marksOf(own).length > 0)
      .slice(0, NAMED)
      .map((own) => ({
        title: titleOf(own.digest),
        marks: marksOf(own),
        gain: gainOf(own),
        outcome: own.digest.outcome,
      })),
    reviewed: index.progress(),
    scorer: first === undefined ? null : redactor.text(`${first.scorer.id} on ${first.scorer.backend}`),
    unreadable: index.rows().filter(({ standing }) => standing === 'unreadable').length,
  };
}

function gainOf({ score }: DigestFacts): number | null {
  const known = score?.gains.flatMap(({ total }) => total ?? []) ?? [];
  return known.length === 0 ? null : known.reduce((sum, total) => sum + total, 0);
}
