import { drawTasks } from '../src/app/demo/draw.ts';
import { playEpisode, type PlayPorts } from '../src/app/demo/play.ts';
import { pick, type Random } from '../src/app/demo/random.ts';
import { simulateDeveloper, type SimulatedDeveloper } from '../src/app/demo/simulated-developer.ts';
import type { Task, TaskFile } from '../src/app/demo/tasks.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../src/app/score.ts';
import type { Backend } from '../src/core/backend.ts';
import type { EpisodeState } from '../src/core/episode-state.ts';
import { toTranscript } from '../src/core/to-transcript.ts';

/** A conversation that waits to be scored, and what scoring it gives and costs. */
export interface Queued {
  readonly state: EpisodeState;
  /** Gains of the turns that have one (shift_mean, nats), in their order. */
  readonly gains: readonly number[];
  /** Tokens at the causal limit. */
  readonly tokens: number;
}

/** Of the replies that are no answer, the shares that say nothing, that answer another question, and that are skipped. */
const NOTHING = 0.5;
const OFF_TOPIC = 0.25;

/** Plays conversations of the demo's model with developers of all tempers, and scores them. */
export async function queueConversations(
  ports: PlayPorts & { readonly scorer: Backend },
  { seed, episodes }: { readonly seed: number; readonly episodes: number },
): Promise<Queued[]> {
  const { scorer, tasks } = ports;
  const states: EpisodeState[] = [];
  for (const [at, task] of drawTasks(tasks.tasks, { seed, episodes }).entries()) {
    states.push(await playEpisode({ ...ports, developer: temperedDeveloper }, task, `gain-order ${seed}/${at}`));
  }
  const queued: Queued[] = [];
  const run = { backend: scorer, options: DEFAULT_SCORE_OPTIONS };
  for await (const { turns, tokens_limit: tokens } of scoreTranscripts(states.map(toTranscript), run)) {
    const state = states[queued.length];
    if (state !== undefined) queued.push({ state, gains: turns.flatMap(({ gain }) => gain ?? []), tokens });
  }
  return queued;
}

/**
 * The demo's developer with a temper of their own: the share of questions that are really answered is drawn once per
 * conversation, uniform on [0, 1]; the rest get words that say nothing, the answer to another question, or Skip.
 */
function temperedDeveloper(task: Task, file: TaskFile, random: Random): SimulatedDeveloper {
  const honest = simulateDeveloper(task, file, random);
  const answers = random();
  const others = file.tasks.flatMap(({ kinds }) => kinds.flatMap(({ replies }) => replies));
  return {
    complain: honest.complain,
    answer: (question, options) => {
      const reply = honest.answer(question, options);
      if (random() < answers) return reply;
      const how = random();
      if (how < NOTHING) return { kind: 'typed', text: pick(random, file.uninformative), about: null };
      if (how < NOTHING + OFF_TOPIC) return { kind: 'typed', text: pick(random, others), about: null };
      return { kind: 'skipped', about: null };
    },
  };
}
