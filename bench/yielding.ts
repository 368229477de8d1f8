// What background scoring costs the person who chats: answers of the local engine while it is idle, and while another client
// has it score long conversations all the time, in turns. A conversation goes on, so that an answer waits for the evaluation of
// the answer before it and of the new reply.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bundledModel, startEngine, type RunningEngine } from '../src/app/engine-process.ts';
import type { Message } from '../src/core/message.ts';
import { inventWorkload } from './conversation.ts';
import { median, printFigures, spread, type Figure } from './figures.ts';
import { writeRandomGguf } from './random-gguf.ts';
import { generator } from './write-gguf.ts';

const TURNS = 5;
/** Tokens of an answer, of a reply, and of the request. */
const ANSWER = 100;
const REPLY = 24;
const REQUEST = 60;
/** So hot that a model seldom ends its answer by itself; one that did is asked again, for its speed alone. */
const TEMPERATURE = 10;
const LONG_ENOUGH = 60;
const SCORED = { turns: 16, request: 60, reply: 48, action: 32, header: 4, tail: 5, placeholder: 6 };
const RANDOM = { width: 256, layers: 6, feedForward: 768, heads: 8, kvHeads: 4, vocabulary: 4096, context: 4096 };

/** One answer as its reader sees it. */
interface Answer {
  readonly firstMs: number;
  readonly tokensPerSecond: number;
}

/** A model to measure with: `letters` of invented text make a token. */
interface Subject {
  readonly name: string;
  readonly path: string;
  readonly letters: number;
  readonly vocabulary: number;
}

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '20' } },
});
const rounds = Math.ceil(Number(flags.runs) / TURNS);
const folder = await mkdtemp(join(tmpdir(), 'turnwise-bench-'));
try {
  const random = join(folder, 'random.gguf');
  const parameters = await writeRandomGguf(random, RANDOM, 1);
  const subjects: Subject[] = [
    { name: 'bundled toy', path: bundledModel(), letters: 2, vocabulary: 1024 },
    { name: `random ${(parameters / 1e6).toFixed(0)}M`, path: random, letters: 1, vocabulary: RANDOM.vocabulary },
  ];
  for (const subject of subjects) {
    const figures = await measure(subject);
    printFigures(`Chat beside scoring, ${subject.name}`, figures, flags.json);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(subject: Subject): Promise<Figure[]> {
  const engine = await startEngine({ modelPath: subject.path });
  try {
    const idle: Answer[] = [];
    const busy: Answer[] = [];
    let scoredTokens = 0;
    let scoringMs = 0;
    await converse(engine, subject, 0); // pages in the weights
    for (let round = 1; round <= rounds; round += 1) {
      process.stderr.write(`bench: chat beside scoring, ${subject.name}, conversation ${round} of ${rounds}\n`);
      const beside = async (): Promise<void> => {
        const scoring = keepScoring(engine, subject);
        try {
          busy.push(...(await converse(engine, subject, 2 * round)));
        } finally {
          const { tokens, ms } = await scoring.end();
          scoredTokens += tokens;
          scoringMs += ms;
        }
      };
      if (round % 2 === 0) await beside();
      idle.push(...(await converse(engine, subject, 2 * round + 1)));
      if (round % 2 === 1) await beside();
    }
    const alone = keepScoring(engine, subject);
    await sleep(5_000);
    const { tokens, ms } = await alone.end();
    return [
      compared('time to first token, scoring beside it', busy, idle, ({ firstMs }) => firstMs, 'ms', 1.2),
      compared('speed of the answer', busy, idle, ({ tokensPerSecond }) => tokensPerSecond, 'tokens/s', 0.95),
      ...ratios(busy, idle),
      throughput('scored with nobody chatting', tokens / (ms / 1000)),
      throughput('scored beside the chat', scoredTokens / (scoringMs / 1000)),
    ];
  } finally {
    await engine.close();
  }
}

function compared(
  name: string,
  busy: readonly Answer[],
  idle: readonly Answer[],
  read: (answer: Answer) => number,
  unit: Figure['unit'],
  bound: number,
): Figure {
  const values = busy.map(read);
  const [value, base] = [median(values), median(idle.map(read))];
  const goal = bound > 1 ? { atMost: bound * base } : { atLeast: bound * base };
  const baseline = { name: 'idle', value: base, ratio: value / base };
  return { name, value, unit, spread: spread(values), runs: values.length, baseline, goal };
}

function ratios(busy: readonly Answer[], idle: readonly Answer[]): Figure[] {
  const of = (read: (answer: Answer) => number): number => median(busy.map(read)) / median(idle.map(read));
  const common = { unit: 'ratio', spread: null, runs: busy.length, baseline: null } as const;
  return [
    { ...common, name: 'busy / idle, time to first token', value: of((a) => a.firstMs), goal: { atMost: 1.2 } },
    { ...common, name: 'busy / idle, speed', value: of((a) => a.tokensPerSecond), goal: { atLeast: 0.95 } },
  ];
}

function throughput(name: string, value: number): Figure {
  return { name, value, unit: 'tokens/s', spread: null, runs: 1, baseline: null, goal: null };
}

/** A conversation of `TURNS` answers, no word of which another one (`seed`) has; a person's pause before each. */
async function converse(engine: RunningEngine, { letters }: Subject, seed: number): Promise<Answer[]> {
  const random = generator(seed + 17);
  const words = (tokens: number): string =>
    Array.from({ length: tokens * letters }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
  const messages: Message[] = [{ role: 'user', content: words(REQUEST) }];
  const answers: Answer[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    await sleep(100 + random() * 200);
    answers.push(await ask(engine, messages, seed));
    messages.push({ role: 'assistant', content: words(ANSWER) }, { role: 'user', content: words(REPLY) });
  }
  return answers;
}

async function ask(engine: RunningEngine, messages: readonly Message[], seed: number): Promise<Answer> {
  const { firstMs, arrivals } = await listen(engine, messages, seed);
  let spoken = arrivals;
  for (let again = 1; spoken.length < LONG_ENOUGH; again += 1) {
    ({ arrivals: spoken } = await listen(engine, messages, seed + 1000 * again));
  }
  return { firstMs, tokensPerSecond: (spoken.length - 1) / (((spoken.at(-1) ?? 0) - (spoken[0] ?? 0)) / 1000) };
}

/** When the tokens of an answer came, ms. */
async function listen(
  engine: RunningEngine,
  messages: readonly Message[],
  seed: number,
): Promise<{ readonly firstMs: number; readonly arrivals: readonly number[] }> {
  const body = { messages, stream: true, max_tokens: ANSWER, temperature: TEMPERATURE, seed, return_token_ids: true };
  const began = performance.now();
  const arrivals: number[] = [];
  for await (const line of linesOf(await post(engine, '/v1/chat/completions', body, null))) {
    if (line.includes('"error"')) throw new Error(line);
    if (/"token_ids":\[\d/.test(line)) arrivals.push(performance.now());
  }
  const [first] = arrivals;
  if (first === undefined) throw new Error('The engine answered without a token.');
  return { firstMs: first - began, arrivals };
}

/** Has conversations scored one after the other, each as a new one, until it is ended; tells the tokens that were evaluated. */
function keepScoring(
  engine: RunningEngine,
  { vocabulary }: Subject,
): { readonly end: () => Promise<{ readonly tokens: number; readonly ms: number }> } {
  const over = new AbortController();
  const began = performance.now();
  let tokens = 0;
  const run = async (): Promise<void> => {
    const { plan } = inventWorkload(SCORED, 'length_matched', vocabulary);
    for (let session = 0; !over.signal.aborted; session += 1) {
      const before = tokens;
      const body = { sequences: plan, session: `${session}`, stream: true };
      for await (const line of linesOf(await post(engine, '/score', body, over.signal))) {
        const done = /^\{"tokens_done":(\d+)\}$/.exec(line)?.[1];
        if (done !== undefined) tokens = before + Number(done);
        else if (line.includes('"error"')) throw new Error(line);
      }
    }
  };
  const running = run().catch((thrown: unknown) => {
    if (!over.signal.aborted) throw thrown;
  });
  return {
    end: async () => {
      const ms = performance.now() - began;
      over.abort();
      await running;
      return { tokens, ms };
    },
  };
}

async function post(
  { url, token }: RunningEngine,
  path: string,
  body: object,
  signal: AbortSignal | null,
): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}

async function* linesOf(response: Response): AsyncGenerator<string, void, void> {
  let left = '';
  for await (const bytes of response.body ?? []) {
    left += Buffer.from(bytes as Uint8Array).toString();
    const lines = left.split('\n');
    left = lines.pop() ?? '';
    yield* lines;
  }
}
