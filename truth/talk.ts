import { pick, seededRandom, seedOf } from '../src/app/demo/random.ts';
import { DEFAULT_ANSWER_MARKER, parseAction } from '../src/core/agent-protocol.ts';
import { TurnwiseError } from '../src/core/error.ts';
import type { Message } from '../src/core/message.ts';
import type { Transcript } from '../src/core/transcript.ts';
import type { Subject } from './subject.ts';
import type { TruthTasks } from './tasks.ts';

/** Longest restatement and longest proposal, in tokens. */
const RESTATEMENT_TOKENS = 40;
const PROPOSAL_TOKENS = 256;
/** How often an action of the wrong form is drawn again. */
const DRAWS = 10;
/** On what the agent says that it goes on, before it asks or codes. */
const RESTATEMENT = /^OK, .*?\. /;

/**
 * A conversation in which the suite decides which detail is asked about when, and the model says everything else: after each
 * reply it is sampled at temperature 1 and states on what it goes on; the suite's next question follows, or its own code.
 */
export interface Talk {
  readonly label: string;
  readonly messages: Message[];
}

/** What talks are made with. */
export interface Stage {
  readonly subject: Subject;
  readonly kinds: TruthTasks['kinds'];
}

/** A request, and the first question. */
export function startTalk(label: string, request: string, question: string): Talk {
  return {
    label,
    messages: [
      { role: 'user', content: request },
      { role: 'assistant', content: question },
    ],
  };
}

/** One of the wordings in which the model was taught to ask about a detail. */
export function questionAbout(kinds: TruthTasks['kinds'], kind: string, label: string): string {
  return pick(seededRandom(`${label}/ask ${kind}`), kinds[kind]?.questions ?? []);
}

/** A reply, then an action that the model begins and this question ends. False: the model restated nothing in ten draws. */
export async function replyThenAsk(talk: Talk, reply: string, question: string, { subject }: Stage): Promise<boolean> {
  talk.messages.push({ role: 'user', content: reply });
  const understood = await drawn(talk, subject, RESTATEMENT_TOKENS, (text) => RESTATEMENT.exec(text)?.[0] ?? null);
  if (understood === null) return false;
  talk.messages.push({ role: 'assistant', content: understood + question });
  return true;
}

/** A reply, then the model's proposal. False: in ten draws it proposed nothing. */
export async function replyThenCode(talk: Talk, reply: string, { subject }: Stage): Promise<boolean> {
  talk.messages.push({ role: 'user', content: reply });
  const action = await drawn(talk, subject, PROPOSAL_TOKENS, (text, ended) =>
    ended && RESTATEMENT.test(text) && parseAction(text).kind === 'answer' ? text : null,
  );
  if (action === null) return false;
  talk.messages.push({ role: 'assistant', content: action });
  return true;
}

/** The code of the last action; empty where it proposes none. */
export function proposedCode({ messages }: Talk): string {
  const parsed = parseAction(messages.at(-1)?.content ?? '');
  return parsed.kind === 'answer' ? parsed.code : '';
}

/** The action that proposes this code; with `understood` it says first on what it goes on. */
export function proposalOf(code: string, understood = ''): string {
  return `${understood}Done.\n${DEFAULT_ANSWER_MARKER}\n${code}`;
}

/** As the model was taught to say on what it goes on. */
export function restatementOf(kinds: TruthTasks['kinds'], kind: string, words: string): string {
  return `OK, ${kinds[kind]?.topic ?? kind}: ${words}. `;
}

export function transcriptOf({ label, messages }: Talk, group: string, outcome: number | null = null): Transcript {
  return { episode_id: label, group_id: group, outcome, messages: [...messages] };
}

/** Draws until `take` finds what it looks for; a generation is ended as soon as it does. Null: ten draws had nothing. */
async function drawn(
  { label, messages }: Talk,
  subject: Subject,
  maxTokens: number,
  take: (text: string, ended: boolean) => string | null,
): Promise<string | null> {
  for (let draw = 0; draw < DRAWS; draw += 1) {
    const seed = seedOf(`${label}/${messages.length}/${draw}`);
    const taken = await sample(subject, messages, { seed, maxTokens }, take);
    if (taken !== null) return taken;
  }
  return null;
}

async function sample(
  { chat }: Subject,
  messages: readonly Message[],
  { seed, maxTokens }: { readonly seed: number; readonly maxTokens: number },
  take: (text: string, ended: boolean) => string | null,
): Promise<string | null> {
  const sampling = { temperature: 1, top_p: 1, top_k: null, seed, max_tokens: maxTokens };
  let text = '';
  for await (const event of chat.stream(messages, { sampling })) {
    switch (event.type) {
      case 'delta': {
        text += event.text;
        const taken = take(text, false);
        if (taken !== null) return taken;
        break;
      }
      case 'finished':
        return take(event.record.text, event.record.finish === 'stop');
      case 'stopped':
        return null;
      case 'failed':
        throw new TurnwiseError('backend', event.reason, event.message);
      default:
        event satisfies never;
    }
  }
  return null;
}
