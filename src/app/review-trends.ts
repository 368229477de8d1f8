import { barsWithQuartiles, histogramBars, lineOverTime } from '../core/picture/charts.ts';
import type { TrendsView } from '../core/review-protocol.ts';
import { signed } from '../core/review.ts';
import { trendsOf, type Spread, type TrendEpisode } from '../core/trends.ts';
import { yardstick } from './yardstick.ts';

/** How asking went over all conversations: the report's pictures, with what they say in words. */
export function trendsView(episodes: readonly TrendEpisode[]): TrendsView {
  const trends = trendsOf(episodes);
  if (trends.scored === 0) {
    return {
      words:
        'No conversation is scored yet. Ask for some code in the chat; trends appear when the first answers were weighed.',
      pictures: [],
    };
  }
  const { mean, n } = yardstick(trends.rated.map((rated) => ({ ...rated, note: null })));
  const { needless } = trends;
  const gain = { title: 'Gain by turn', axis: 'turn', unit: 'nats' };
  const asked = { title: 'Questions per conversation', axis: 'questions', unit: 'conversations' };
  const days = { title: 'Gain per question, day by day', axis: 'day', unit: 'nats' };
  const share = needless.of === 0 ? '' : ` ${needless.n} of ${needless.of} told nothing.`;
  return {
    words: `${trends.episodes} conversations, ${trends.scored} scored, ${trends.questions} questions answered.`,
    pictures: [
      {
        id: 'gain-by-turn',
        title: gain.title,
        words: 'Mean total gain of the turns at each place; the whisker holds the middle half.',
        svg: barsWithQuartiles(trends.gainByTurn, gain),
      },
      {
        id: 'questions',
        title: asked.title,
        words: `${spread(trends.questionCount, 1)} questions per conversation.`,
        svg: histogramBars(trends.questionsPerEpisode, asked),
      },
      {
        id: 'days',
        title: days.title,
        words: `${spread(trends.gainPerQuestion, 2)} nats for a question, ${spread(trends.wordsPerQuestion, 1)} words typed for it.${share}`,
        svg: lineOverTime(
          trends.byDay.map(({ day, gain: of }) => ({ label: day, spread: of })),
          days,
        ),
      },
    ],
    thumbs:
      mean === null
        ? `Agreement with thumbs: ${n} rated turns have a gain; it takes ten, and some of each kind.`
        : `Agreement with thumbs: rank correlation ${signed(mean.rho, 2)} over ${n} rated turns, 95 % interval ${signed(mean.low, 2)} to ${signed(mean.high, 2)}.`,
  };
}

function spread({ mean, low, high }: Spread, digits: number): string {
  if (mean === null || low === null || high === null) return 'no';
  return `${mean.toFixed(digits)} (middle half ${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}
