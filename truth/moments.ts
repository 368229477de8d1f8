import { pick, seededRandom, shuffled } from '../src/app/demo/random.ts';
import { shifts } from '../src/core/credit/gain.ts';
import type { Transcript } from '../src/core/transcript.ts';
import { atLeast, figure, type Figure } from './figure.ts';
import { score, type Gain } from './scores.ts';
import { auc, mean, quantile, share } from './statistics.ts';
import type { Subject } from './subject.ts';
import { questionAbout, replyThenAsk, startTalk, transcriptOf, type Stage } from './talk.ts';
import type { RankingTask, TruthTasks } from './tasks.ts';

/** Ways of saying nothing: with no word about anything, about another detail (with and without a number), about this one. */
const EMPTY = ['not sure', 'off topic', 'off topic, with a number', 'on topic'] as const;
type Empty = (typeof EMPTY)[number];

/** One question, and what the model did after a telling reply to it and after three empty ones. */
export interface Moment {
  readonly told: Transcript;
  readonly empty: Readonly<Partial<Record<Empty, Transcript>>>;
  /** The telling one with a reply of another task in its place, the next action the same: any, and one on the same detail. */
  readonly lent: Transcript;
  readonly lentSame: Transcript | null;
  /** Whether the first donor's reply is about the same detail. */
  readonly sameKind: boolean;
}

/** Asks each task's told detail first, and plays on to the next question. */
export async function playMoments(
  tasks: readonly RankingTask[],
  { uninformative, unmistakable }: Pick<TruthTasks, 'uninformative' | 'unmistakable'>,
  stage: Stage,
  onDone: (done: number) => void,
): Promise<Moment[]> {
  const moments: Moment[] = [];
  for (const [at, task] of tasks.entries()) {
    const random = seededRandom(`${task.id}/moment`);
    const others = shuffled(random, tasks).filter((other) => other.group !== task.group);
    const reply = pick(random, task.told.replies);
    const told = await play(task, reply, 'told', stage);
    const donor = others.find((other) => pick(seededRandom(other.id), other.told.replies) !== reply);
    const alike = others.find(({ told: { kind, replies } }) => kind === task.told.kind && !replies.includes(reply));
    const stray = others.find(({ told: { kind } }) => unmistakable.includes(kind) && !task.hidden.includes(kind));
    const strayed = stray?.told.replies[0];
    const beside = strayed !== undefined && /\d/.test(strayed) ? 'off topic, with a number' : 'off topic';
    onDone(at + 1);
    if (told === null || donor === undefined) continue;
    const words: Readonly<Partial<Record<Empty, string | undefined>>> = {
      'not sure': pick(random, uninformative),
      [beside]: strayed,
      'on topic': pick(random, stage.kinds[task.told.kind]?.empty ?? []),
    };
    const empty: Partial<Record<Empty, Transcript>> = {};
    for (const way of EMPTY) {
      const silent = words[way] === undefined ? null : await play(task, words[way], way, stage);
      if (silent !== null) empty[way] = silent;
    }
    const instead = (text: string, name: string): Transcript => withReply(told, text, `${told.episode_id}/${name}`);
    moments.push({
      told,
      empty,
      lent: instead(pick(seededRandom(donor.id), donor.told.replies), 'lent'),
      lentSame: alike === undefined ? null : instead(pick(random, alike.told.replies), 'lent same'),
      sameKind: donor.told.kind === task.told.kind,
    });
  }
  return moments;
}

/** Gains of moments under one placeholder. */
export interface MomentGains {
  readonly told: readonly Gain[];
  readonly empty: Readonly<Record<Empty, readonly Gain[]>>;
  /** The donor any, on another detail, on the same. */
  readonly placebo: readonly Gain[];
  readonly placeboOther: readonly Gain[];
  readonly placeboSame: readonly Gain[];
}

/** Scores them as the product does; a placebo gain takes the factual log-probs of the lent reply and the mask of the real one. */
export async function scoreMoments(
  moments: readonly Moment[],
  subject: Subject,
  placeholder: string,
): Promise<MomentGains> {
  const under = async (transcripts: readonly Transcript[]) =>
    (await score(transcripts, subject, placeholder)).map(({ turns }) => turns[0]);
  const told = await under(moments.map((moment) => moment.told));
  const lent = await under(moments.map((moment) => moment.lent));
  const same = await under(moments.map(({ lentSame, lent: any }) => lentSame ?? any));
  const empty: Record<Empty, Gain[]> = {
    'not sure': [],
    'off topic': [],
    'off topic, with a number': [],
    'on topic': [],
  };
  for (const way of EMPTY) {
    const turns = await under(moments.flatMap((moment) => moment.empty[way] ?? []));
    empty[way] = turns.flatMap((turn) => gainBetween(turn?.logp_factual, turn?.logp_masked) ?? []);
  }
  const placebo = moments.map(({ sameKind, lentSame }, at) => {
    const masked = told[at]?.logp_masked;
    return {
      any: gainBetween(lent[at]?.logp_factual, masked),
      same: lentSame === null ? null : gainBetween(same[at]?.logp_factual, masked),
      sameKind,
    };
  });
  return {
    told: told.flatMap((turn) => gainBetween(turn?.logp_factual, turn?.logp_masked) ?? []),
    empty,
    placebo: placebo.flatMap(({ any }) => any ?? []),
    placeboOther: placebo.flatMap(({ any, sameKind }) => (any === null || sameKind ? [] : [any])),
    placeboSame: placebo.flatMap(({ same: gain }) => gain ?? []),
  };
}

const INSIDE = atLeast(0.95);
const SEPARATES = atLeast(0.95);

/** (2) What says nothing gains what a reply of another task gains; (3) what says something gains more. Totals, with means beside. */
export function placebos({ told, empty, placebo, placeboOther, placeboSame }: MomentGains): Figure[] {
  const totals = (gains: readonly Gain[]): number[] => gains.map(({ total }) => total);
  const means = (gains: readonly Gain[]): number[] => gains.map((gain) => gain.mean);
  const every = EMPTY.flatMap((way) => empty[way]);
  const plain = (values: readonly number[]) => ({ value: mean(values), ...range(values), n: values.length });
  return [
    figure(
      2,
      'empty replies inside the central 95 % of placebo gains',
      'share',
      inside(every, placebo, totals),
      INSIDE,
    ),
    figure(2, 'the same, by mean gain', 'share', inside(every, placebo, means)),
    ...EMPTY.map((way) => figure(2, `inside: ${way}`, 'share', inside(empty[way], placebo, totals))),
    figure(2, 'total gain of empty replies (mean; 2.5 to 97.5 %)', 'nats', plain(totals(every))),
    figure(2, 'total gain of placebo replies (mean; 2.5 to 97.5 %)', 'nats', plain(totals(placebo))),
    figure(2, 'total gain of telling replies (mean; 2.5 to 97.5 %)', 'nats', plain(totals(told))),
    figure(3, 'real over placebo replies, same a_{t+1}', 'AUC', auc(totals(told), totals(placebo), 'auc'), SEPARATES),
    figure(3, 'the same, by mean gain', 'AUC', auc(means(told), means(placebo), 'auc mean')),
    figure(3, 'the donor speaks of another detail', 'AUC', auc(totals(told), totals(placeboOther), 'auc other')),
    figure(3, 'the donor speaks of the same detail', 'AUC', auc(totals(told), totals(placeboSame), 'auc same')),
    figure(3, 'real over empty replies', 'AUC', auc(totals(told), totals(every), 'auc empty')),
  ];
}

/** The bounds of "nothing learnt": the central 95 % of placebo gains. */
export function range(values: readonly number[]): { readonly low: number; readonly high: number } {
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

function inside(gains: readonly Gain[], placebo: readonly Gain[], of: (gains: readonly Gain[]) => number[]) {
  const { low, high } = range(of(placebo));
  return share(of(gains).map((value) => value >= low && value <= high));
}

async function play(task: RankingTask, reply: string, name: string, stage: Stage): Promise<Transcript | null> {
  const { kind } = task.told;
  const next = task.hidden.find((other) => other !== kind) ?? kind;
  const talk = startTalk(`${task.id}/${name}`, task.request, questionAbout(stage.kinds, kind, task.id));
  const goesOn = await replyThenAsk(talk, reply, questionAbout(stage.kinds, next, task.id), stage);
  return goesOn ? transcriptOf(talk, task.group) : null;
}

function withReply(transcript: Transcript, reply: string, id: string): Transcript {
  const messages = transcript.messages.map((message, at) => (at === 2 ? { ...message, content: reply } : message));
  return { ...transcript, episode_id: id, messages };
}

function gainBetween(
  factual: readonly number[] | null | undefined,
  masked: readonly number[] | null | undefined,
): Gain | null {
  if (!factual || !masked) return null;
  const d = shifts(factual, masked);
  return { total: d.reduce((sum, x) => sum + x, 0), mean: mean(d) };
}
