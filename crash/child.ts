import { z } from 'zod';
import { seededRandom } from '../src/app/demo/random.ts';
import { Conversation } from '../src/app/conversation.ts';
import { isLocked } from '../src/app/patiently.ts';
import type { ChatBackend, GenerationRecord, Sampling } from '../src/core/backend.ts';
import type { EventBody } from '../src/core/event.ts';
import type { ScoredEpisode } from '../src/core/scored-episode.ts';
import { connect } from '../src/store/connection.ts';
import { journalOn } from '../src/store/journal.ts';
import { guarded } from '../src/store/sqlite-error.ts';
import { armed } from './kill-point.ts';
import { nameOf, openRecord, POINTS } from './record.ts';
import { KIND, LEASE_MS, RESULTS, SHARED } from './scene.ts';

// A process of the crash suite: appends, answers, wishes, leases and scores until it dies.
const planSchema = z.object({
  store: z.string(),
  record: z.string(),
  name: z.string(),
  /** Added to the clock, ms: the leases of earlier rounds have run out. */
  later: z.number(),
  kill: z.object({ transaction: z.number(), point: z.enum(POINTS) }).nullable(),
  fault: z.enum(['early-ack', 'torn', 'endless-lease']).nullable(),
});
const plan = planSchema.parse(JSON.parse(process.argv[2] ?? ''));
const random = seededRandom(plan.name);
const record = openRecord(plan.record);
const connection = whenFree(() => connect(plan.store, false));
whenFree(() => {
  guarded(plan.store, () => {
    connection.db.exec(RESULTS);
  });
});
const point = armed(connection.db, plan.kill, { torn: plan.fault === 'torn', stand: record.stand });
const journal = journalOn(connection, () => Date.now() + plan.later);

const SAMPLING: Sampling = { temperature: 1, top_p: 1, top_k: null, seed: 1, max_tokens: null };
let made = 0;
const words = (): string => {
  made += 1;
  return `${plan.name} says ${made} ${'.'.repeat(Math.floor(random() ** 4 * 9000))}`;
};

/** Says what is about to be written; what it gives back says that it was. */
function offer(episode: string, bodies: readonly EventBody[]): () => void {
  const names = bodies.map(nameOf);
  for (const what of names) record.write({ kind: 'offer', episode, what });
  const acknowledge = (): void => {
    for (const what of names) record.write({ kind: 'ack', episode, what });
    point.acknowledged();
  };
  if (plan.fault !== 'early-ack') return acknowledge;
  acknowledge();
  return () => undefined;
}

/** Another process may hold the store for longer than a window waits. */
function whenFree<T>(work: () => T): T {
  for (;;) {
    try {
      return work();
    } catch (thrown) {
      if (!isLocked(thrown)) throw thrown;
    }
  }
}

const note = (text: string): EventBody => ({ type: 'rated', turn: null, thumb: 1, note: text });
const started: EventBody = {
  type: 'episode_started',
  source: 'simulated',
  task_id: null,
  parent: null,
  agent_prompt: null,
  answer_marker: 'I WANT TO ANSWER:',
  max_turns: 4,
};

/** The first one to come makes the conversation that all share. */
function openShared(): void {
  const acknowledge = offer(SHARED, [started]);
  try {
    whenFree(() => journal.append(SHARED, [started], { expectedSeq: 0 }));
  } catch (thrown) {
    if (!(thrown instanceof Error && 'reason' in thrown && thrown.reason === 'conflict')) throw thrown;
  }
  acknowledge();
}

/** Two facts that belong together: a conversation and its first words. */
function begin(): void {
  const episode = `${plan.name} pair ${made}`;
  const bodies: EventBody[] = [started, { type: 'request_accepted', text: words() }];
  const acknowledge = offer(episode, bodies);
  whenFree(() => journal.append(episode, bodies, { expectedSeq: 0 }));
  acknowledge();
}

/** All processes write into one conversation. */
function append(): void {
  const body = note(words());
  const acknowledge = offer(SHARED, [body]);
  whenFree(() => journal.append(SHARED, [body]));
  acknowledge();
}

/** A person who is told that the store is locked leaves it at that for now. */
async function answer(): Promise<void> {
  const episode = `${plan.name} talk ${made}`;
  try {
    await converse(episode);
  } catch (thrown) {
    if (!isLocked(thrown)) throw thrown;
    record.write({ kind: 'refused', episode });
  }
}

/** A conversation as the product holds it: the model's words come piece by piece, and each end is told once it is durable. */
async function converse(episode: string): Promise<void> {
  const lines = [`${words()} Which unit?`, `${words()} I WANT TO ANSWER: x = ${made}`];
  const offered = (what: string): void => {
    record.write({ kind: 'offer', episode, what });
  };
  const ports = {
    journal,
    sampling: SAMPLING,
    chat: speaking(lines),
    onEvent: ({ body }: { body: EventBody | { type: 'newer_event'; json: unknown } }): void => {
      record.write({ kind: 'ack', episode, what: nameOf(body) });
      point.acknowledged();
    },
  };
  offered('episode_started');
  const talk = await Conversation.start(ports, { source: 'simulated', episodeId: episode, maxTurns: 4 });
  const request = words();
  offered(`request_accepted ${request}`);
  await talk.request(request);
  for (const [turn, line] of lines.entries()) {
    offered(`action_started ${turn}`);
    offered(`${turn === 0 ? 'action_asked' : 'action_answered'} ${line}`);
    for await (const event of talk.act()) if (event.type === 'failed') throw new Error(event.message);
    if (turn > 0) return;
    const reply = words();
    offered(`observed ${reply}`);
    await talk.reply({ text: reply });
  }
}

function speaking(lines: readonly string[]): ChatBackend {
  let said = 0;
  return {
    name: 'script',
    async *stream(_, { sampling }) {
      const text = lines[said] ?? '';
      said += 1;
      for (const part of text.match(/.{1,900}/gs) ?? []) {
        await Promise.resolve();
        yield { type: 'delta', text: part };
      }
      yield { type: 'finished', record: generation(text, sampling) };
    },
  };
}

function generation(text: string, sampling: Sampling): GenerationRecord {
  const unknown = { prompt_ids: null, ids: null, logprobs: null, logprobs_mode: null, model_revision: null };
  const server = { server: 's', server_version: null, template_sha: null, tokenizer_sha: null };
  return { text, finish: 'stop', ...unknown, ...server, sampling, model: 'm', latency_ms: 1, first_token_ms: 1 };
}

/** Wishes for a score, takes whatever job is due, of this process or another, and hands in its result. */
function score(): void {
  const job = `${plan.name} job ${made}`;
  made += 1;
  record.write({ kind: 'wish', job });
  whenFree(() => {
    journal.queue.wish({ episodeId: job, ...KIND, actions: 2 });
  });
  const lease = plan.fault === 'endless-lease' ? Number.MAX_SAFE_INTEGER / 2 : LEASE_MS;
  const taken = whenFree(() => journal.queue.claim(plan.name, KIND.scorer, KIND.optionsKey, lease));
  if (taken === null) return;
  const { episodeId } = taken;
  // Some are left undone, so that death finds processes that hold one.
  if (random() < 0.3) return;
  const kept = whenFree(() =>
    journal.queue.finish(plan.name, taken, 'scorer', () => {
      journal.putScored(episodeId, KIND.scorer, KIND.optionsKey, scoredBy(episodeId));
      connection.db.prepare('INSERT INTO crash_result (job, worker) VALUES (?, ?)').run(episodeId, plan.name);
    }),
  );
  if (kept) record.write({ kind: 'result', job: episodeId });
  point.acknowledged();
}

function scoredBy(episode: string): ScoredEpisode {
  const { scorer: id } = KIND;
  return {
    schema: 'turnwise-score/1',
    episode_id: episode,
    group_id: plan.name,
    outcome: null,
    scorer: { id, revision: null, tokenizer_sha: null, template_sha: null, backend: 'b', version: null },
    placebo: null,
    options: { estimator: 'shift_mean', clip: null, placeholder: 'x', mask_mode: 'natural', seed: 0, noise: 0 },
    tokens_evaluated: null,
    tokens_limit: 0,
    turns: [],
  };
}

openShared();
for (;;) {
  const draw = random();
  if (draw < 0.25) begin();
  else if (draw < 0.45) append();
  else if (draw < 0.7) score();
  else await answer();
}
