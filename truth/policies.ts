import { pick, seededRandom } from '../src/app/demo/random.ts';
import { areaUnderCurve } from '../src/app/doctor/check-fitness.ts';
import { creditBatch } from '../src/core/credit/credit.ts';
import { creditEpisodeOf } from '../src/core/credit/from-score.ts';
import { resolveCreditOptions } from '../src/core/credit/options.ts';
import { figure, type Figure } from './figure.ts';
import { range, type MomentGains } from './moments.ts';
import { converse, judged, sayFor, type Asked, type Court, type Judged, type MisledPair } from './play-misled.ts';
import { gainsOf, score } from './scores.ts';
import { bootstrap, mean, share } from './statistics.ts';
import type { Subject } from './subject.ts';
import type { MisledTask, SpecifiedTask, TruthTasks } from './tasks.ts';

/** Policies of one model: who asks what is the suite's, what is said on it the model's. */
export interface Policies {
  /** Asks about every hidden detail, once. */
  readonly good: readonly Judged[];
  /** The same tasks; asks again about what was told, and about what the task has nothing to do with. */
  readonly forItsOwnSake: readonly Judged[];
  /** Tasks that say everything; asks all the same. */
  readonly fullySpecified: readonly Judged[];
}

export async function playPolicies(
  pairs: readonly MisledPair[],
  specified: readonly SpecifiedTask[],
  { uninformative }: Pick<TruthTasks, 'uninformative'>,
  court: Court,
  onDone: (done: number) => void,
): Promise<Policies> {
  const forItsOwnSake: Judged[] = [];
  const fullySpecified: Judged[] = [];
  const total = pairs.length;
  for (const [at, { task }] of pairs.entries()) {
    const asked = needlessly(task, uninformative);
    const done = await judged(task, await converse(`${task.id}/own sake`, task, asked, court), asked, court);
    if (done !== null) forItsOwnSake.push(done);
    onDone(at + 1);
  }
  for (const [at, task] of specified.entries()) {
    const { kind, replies } = task.stated;
    const asked = [{ kind, reply: `as I said, ${sayFor(task.id, replies)}`, needed: false }];
    const done = await judged(task, await converse(`${task.id}/over`, task, asked, court), asked, court);
    if (done !== null) fullySpecified.push(done);
    onDone(total + at + 1);
  }
  return { good: pairs.map(({ honest }) => honest), forItsOwnSake, fullySpecified };
}

function needlessly({ id, hidden, foreign }: MisledTask, uninformative: readonly string[]): Asked[] {
  const told = hidden.map(({ kind, replies }) => ({ kind, reply: sayFor(id, replies), needed: true }));
  const again = told.slice(0, 1).map(({ kind, reply }) => ({ kind, reply: `as I said, ${reply}`, needed: false }));
  const strange = { kind: foreign, reply: pick(seededRandom(`${id}/foreign`), uninformative), needed: false };
  return [...told, strange, ...again];
}

/** One question with everything that a ledger or an export says of it. */
interface Asking {
  readonly needed: boolean;
  /** The last one of its conversation: code follows. */
  readonly last: boolean;
  readonly total: number;
  readonly mean: number;
  readonly aInt: number;
  readonly advantage: number;
  readonly wordsTyped: number;
}

/**
 * (8) Which columns tell needless questions from needed ones. AUC 1: every needed question has more of it than every needless
 * one; .5: the column knows nothing.
 */
export async function askingPolicies(
  policies: Policies,
  { placebo }: MomentGains,
  subject: Subject,
  placeholder: string,
): Promise<Figure[]> {
  const names = ['good', 'forItsOwnSake', 'fullySpecified'] as const;
  const batches = await Promise.all(
    names.map((name) =>
      score(
        policies[name].map(({ transcript }) => transcript),
        subject,
        placeholder,
      ),
    ),
  );
  const ledgers = creditBatch(batches.flat().map(creditEpisodeOf), resolveCreditOptions({ pool: 'batch' }));
  const byId = new Map(ledgers.map((ledger) => [ledger.episode_id, ledger]));
  const asked = batches.map((scored, at) =>
    scored.flatMap((episode, k): Asking[] => {
      const own = policies[names[at] ?? 'good'][k];
      return gainsOf(episode).flatMap((gain, turn) => {
        const credit = byId.get(episode.episode_id)?.turns[turn];
        if (!gain || !own || credit?.a_int == null || credit.advantage === null) return [];
        const reply = own.transcript.messages[2 * turn + 2]?.content ?? '';
        return [
          {
            ...gain,
            needed: own.needed[turn] ?? true,
            last: turn === own.needed.length - 1,
            aInt: credit.a_int,
            advantage: credit.advantage,
            wordsTyped: reply.split(/\s+/).length,
          },
        ];
      });
    }),
  );
  const [good = [], sake = [], over = []] = asked;
  const { high } = range(placebo.map(({ total }) => total));
  const needless = sake.filter(({ needed }) => !needed);
  const [again, foreign] = [needless.filter(({ last }) => last), needless.filter(({ last }) => !last)];
  const below = (some: readonly Asking[]) => share(some.map(({ total }) => total <= high));
  const outcomes = names.map((name) => policies[name].map(({ passed }) => passed));
  const columns: readonly [string, (asking: Asking) => number][] = [
    ['total gain', ({ total }) => total],
    ['mean gain', (asking) => asking.mean],
    ['A_int', ({ aInt }) => aInt],
    ['advantage', ({ advantage }) => advantage],
    ['words typed', ({ wordsTyped }) => wordsTyped],
  ];
  const exposes = (bad: readonly Asking[], who: string): Figure[] =>
    columns.map(([name, of]) =>
      figure(8, `needed above needless questions by ${name}, ${who}`, 'AUC', aucOf(good, bad, of, `${name} ${who}`)),
    );
  const perQuestion = (some: readonly Asking[], label: string) =>
    bootstrap(
      some.map(({ total }) => total),
      mean,
      label,
    );
  return [
    figure(8, 'no more than a placebo gains: questions of the good policy', 'share', below(good)),
    figure(
      8,
      'no more than a placebo gains: asked about what the task has nothing to do with',
      'share',
      below(foreign),
    ),
    figure(8, 'no more than a placebo gains: asked again', 'share', below(again)),
    figure(8, 'no more than a placebo gains: questions on fully specified tasks', 'share', below(over)),
    figure(8, 'total gain per question, good', 'nats', perQuestion(good, 'good')),
    figure(8, 'total gain per question, for its own sake', 'nats', perQuestion(sake, 'sake')),
    figure(8, 'total gain per question, nothing to do with the task', 'nats', perQuestion(foreign, 'foreign')),
    figure(8, 'total gain per question, asked again', 'nats', perQuestion(again, 'again')),
    figure(8, 'total gain per question, fully specified tasks', 'nats', perQuestion(over, 'over')),
    figure(8, 'questions an episode, good', 'count', bootstrap(counts(policies.good), mean, 'good count')),
    figure(
      8,
      'questions an episode, for its own sake',
      'count',
      bootstrap(counts(policies.forItsOwnSake), mean, 'sake count'),
    ),
    ...exposes(foreign, 'nothing to do with the task'),
    ...exposes(again, 'asked again'),
    ...exposes(over, 'fully specified'),
    ...names.map((name, at) => figure(8, `hidden calls pass, ${LABEL[name]}`, 'share', share(outcomes[at] ?? []))),
  ];
}

const LABEL = { good: 'good', forItsOwnSake: 'for its own sake', fullySpecified: 'fully specified' } as const;

const counts = (talks: readonly Judged[]): number[] => talks.map(({ needed }) => needed.length);

function aucOf(good: readonly Asking[], bad: readonly Asking[], of: (asking: Asking) => number, label: string) {
  const all = [...good.map((one) => ({ one, good: true })), ...bad.map((one) => ({ one, good: false }))];
  const statistic = (some: readonly { readonly one: Asking; readonly good: boolean }[]): number =>
    areaUnderCurve(
      some.filter((entry) => entry.good).map(({ one }) => of(one)),
      some.filter((entry) => !entry.good).map(({ one }) => of(one)),
    );
  return bootstrap(all, statistic, label);
}
