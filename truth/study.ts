import { chooseProbes } from '../src/app/doctor/bundled-probes.ts';
import { measureFitness } from '../src/app/doctor/check-fitness.ts';
import { PLACEHOLDERS } from '../src/app/doctor/doctor.ts';
import { probeGains } from '../src/app/doctor/probe-gains.ts';
import { someProbes } from '../src/app/doctor/probes.ts';
import type { Sandbox } from '../src/app/sandbox/sandbox.ts';
import { AUTO_PLACEHOLDER, resolvePlaceholder, type PlaceholderFitness } from '../src/core/calibration.ts';
import type { ScoredEpisode } from '../src/core/scored-episode.ts';
import { echoing, writeEchoes, type Echo } from './echoes.ts';
import { figure, type Figure } from './figure.ts';
import { lengthBias } from './length-bias.ts';
import { tokenLengths } from './matched-replies.ts';
import { misleading } from './misled.ts';
import { placebos, playMoments, scoreMoments, type Moment } from './moments.ts';
import { stability } from './placeholders.ts';
import { playMisled, type MisledPair } from './play-misled.ts';
import { playRanking, playTwins, type RankingEpisode, type Twins } from './play-ranking.ts';
import { askingPolicies, playPolicies, type Policies } from './policies.ts';
import { ranking, trivialRankers } from './ranks.ts';
import { score } from './scores.ts';
import { share } from './statistics.ts';
import type { Subject } from './subject.ts';
import type { TruthTasks } from './tasks.ts';

/** How much of everything is played. */
export interface Sizes {
  readonly ranking: number;
  readonly moments: number;
  readonly twins: number;
  readonly others: number;
  /** Episodes that are scored under every placeholder. */
  readonly stability: number;
  readonly probes: number;
}

/** Everything a model did; none of it depends on a placeholder. */
export interface Played {
  readonly ranking: readonly RankingEpisode[];
  readonly twins: readonly Twins[];
  readonly moments: readonly Moment[];
  readonly misled: readonly MisledPair[];
  readonly policies: Policies;
  readonly echoes: readonly Echo[];
}

/** A model's figures under one placeholder. */
export interface Section {
  readonly model: string;
  /** Of the model's file: figures are those of these bytes. */
  readonly sha256: string;
  readonly placeholder: string;
  /** Why this placeholder. */
  readonly why: string;
  /** Whether its goals count; what an unfit placeholder gives is there to be seen. */
  readonly counts: boolean;
  readonly figures: readonly Figure[];
}

export interface Study {
  readonly subject: Subject;
  readonly sandbox: Sandbox;
  readonly tasks: TruthTasks;
  readonly sizes: Sizes;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** Plays every experiment once. */
export async function play({ subject, sandbox, tasks, sizes, onProgress }: Study): Promise<Played> {
  const stage = { subject, kinds: tasks.kinds };
  const court = { ...stage, sandbox };
  const lengths = tokenLengths(subject.scorer);
  const telling = (what: string, total: number) => (done: number) => {
    onProgress(what, done, total);
  };
  const chosen = tasks.ranking.slice(0, sizes.ranking);
  const episodes = await playRanking(chosen, stage, lengths, telling('episodes', chosen.length));
  const apart = episodes.filter(({ place, task }) => place < task.hidden.length - 1).slice(0, sizes.twins);
  const twins = await playTwins(apart, stage, lengths, telling('twins', apart.length));
  const moments = await playMoments(
    tasks.ranking.slice(0, sizes.moments),
    tasks,
    stage,
    telling('moments', sizes.moments),
  );
  const misled = await playMisled(tasks.misled.slice(0, sizes.others), court, telling('misled', sizes.others));
  const specified = tasks.specified.slice(0, sizes.others);
  const policies = await playPolicies(
    misled,
    specified,
    tasks,
    court,
    telling('policies', misled.length + specified.length),
  );
  return {
    ranking: episodes,
    twins,
    moments,
    misled,
    policies,
    echoes: await writeEchoes(tasks.misled, stage, lengths),
  };
}

/** How every placeholder acts on the model, as the doctor measures it (spec S1). */
export async function fitnessOf({ subject, sizes, onProgress }: Study): Promise<PlaceholderFitness[]> {
  const { scorer: backend, chat, facts } = subject;
  const set = await chooseProbes('demo', null, facts);
  const gains = await probeGains({
    backend,
    facts,
    chat,
    probes: someProbes(set.probes, sizes.probes),
    placeholders: PLACEHOLDERS,
    maskMode: 'length_matched',
    onProgress: (done, total) => {
      onProgress('probes', done, total);
    },
  });
  return measureFitness(gains, 'length_matched');
}

/** What `auto` stands for after such a measurement. */
export function autoPlaceholder(fitness: readonly PlaceholderFitness[]): string {
  return resolvePlaceholder(
    { placeholder: AUTO_PLACEHOLDER, mask_mode: 'length_matched' },
    { calibration: { placebo: [], fitness: [...fitness] } },
  );
}

/** Claims (1) to (3) alone: what a placeholder does to the signal. */
export async function glance(study: Study, played: Played, placeholder: string): Promise<Figure[]> {
  const { subject } = study;
  const scored = await scoreRanking(study, played, placeholder);
  return [...ranking(played.ranking, scored), ...placebos(await scoreMoments(played.moments, subject, placeholder))];
}

/** Every claim under one placeholder. */
export async function measure(
  study: Study,
  played: Played,
  placeholder: string,
  fitness: readonly PlaceholderFitness[],
): Promise<Figure[]> {
  const { subject } = study;
  const scored = await scoreRanking(study, played, placeholder);
  const moments = await scoreMoments(played.moments, subject, placeholder);
  return [
    ...about(study, played),
    ...ranking(played.ranking, scored),
    ...(await trivialRankers(played.ranking, tokenLengths(subject.scorer))),
    ...placebos(moments),
    ...(await misleading(played.misled, subject, placeholder)),
    ...(await echoing(played.echoes, subject, placeholder)),
    ...(await underEveryPlaceholder(study, played, placeholder, scored, fitness)),
    ...(await againstTheirTwins(study, played, placeholder, scored)),
    ...(await askingPolicies(played.policies, moments, subject, placeholder)),
  ];
}

function scoreRanking({ subject }: Study, played: Played, placeholder: string): Promise<ScoredEpisode[]> {
  return score(
    played.ranking.map(({ transcript }) => transcript),
    subject,
    placeholder,
  );
}

async function underEveryPlaceholder(
  { subject, sizes }: Study,
  played: Played,
  chosen: string,
  scored: readonly ScoredEpisode[],
  fitness: readonly PlaceholderFitness[],
): Promise<Figure[]> {
  const some = played.ranking.slice(0, sizes.stability);
  const under = new Map([[chosen, scored.slice(0, some.length)]]);
  for (const placeholder of PLACEHOLDERS) {
    if (under.has(placeholder)) continue;
    under.set(
      placeholder,
      await score(
        some.map(({ transcript }) => transcript),
        subject,
        placeholder,
      ),
    );
  }
  return stability(some, chosen, under, fitness);
}

async function againstTheirTwins(
  { subject }: Study,
  { ranking: episodes, twins }: Played,
  placeholder: string,
  scored: readonly ScoredEpisode[],
): Promise<Figure[]> {
  const byId = new Map(episodes.map(({ task }, at) => [task.id, scored[at]]));
  const whole = twins.flatMap((pair) => {
    const earlier = byId.get(pair.earlier.task.id);
    return earlier === undefined ? [] : [{ pair, earlier }];
  });
  const last = await score(
    whole.map(({ pair }) => pair.last.transcript),
    subject,
    placeholder,
  );
  return lengthBias(
    whole.map(({ pair }) => pair),
    whole.map(({ earlier }) => earlier),
    last,
  );
}

/** How much of what was begun came to an end. */
function about({ sizes }: Study, { ranking: episodes }: Played): Figure[] {
  const finished = Array.from({ length: sizes.ranking }, (_, at) => at < episodes.length);
  const alike = episodes.map(({ tokensMatch }) => tokensMatch);
  return [
    figure(0, 'held-out episodes of 3 to 6 questions that came to an end', 'share', share(finished)),
    figure(0, 'replies within a fifth of the telling one in tokens too (in characters: all)', 'share', share(alike)),
  ];
}
