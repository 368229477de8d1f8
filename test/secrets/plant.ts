import { pick, seededRandom, type Random } from '../../src/app/demo/random.ts';
import type { GenerationRecord } from '../../src/core/backend.ts';
import { titleSchema, type EventBody } from '../../src/core/event.ts';
import type { KnownValue } from '../../src/core/secrets/find.ts';
import type { Drawn, Kind } from './kind.ts';

export const PLACES = [
  'request',
  'reply',
  'code',
  'tool result',
  'settings',
  'file name',
  'thumb note',
  'review note',
  'title',
] as const;
export type Place = (typeof PLACES)[number];
export const FORMS = ['plain', 'base64', 'URL-encoded', 'JSON-escaped', 'split'] as const;
export type Form = (typeof FORMS)[number];

/** A secret in a conversation, and what must not be read anywhere afterwards. */
export interface Planted {
  readonly kind: string;
  readonly place: Place;
  readonly form: Form;
  /** What was said, in the order of the conversation. */
  readonly request: string;
  readonly reply: string;
  readonly tool: string;
  readonly code: string;
  /** What the developer wrote beside the conversation: with a thumb, as its reviewer, as its name. Empty: nothing. */
  readonly note: string;
  readonly review: string;
  readonly title: string;
  /** The text that holds it; of a split one, both texts. */
  readonly said: readonly string[];
  /** The secret as it is and as it was written. */
  readonly cores: readonly string[];
}

/** `rounds` secrets of every kind; a fifth of them encoded or split. The same seed draws the same. */
export function plant(kinds: readonly Kind[], rounds: number, seed: string): Planted[] {
  return kinds.flatMap((kind) =>
    Array.from({ length: rounds }, (_, round) => {
      const random = seededRandom(`${seed}/${kind.name}/${round}`);
      const place = PLACES[round % PLACES.length] ?? 'request';
      return plantOne(random, kind, place, random() < 0.2 ? pick(random, FORMS.slice(1)) : 'plain');
    }),
  );
}

function plantOne(random: Random, kind: Kind, place: Place, form: Form): Planted {
  const drawn = kind.draw(random);
  const { pieces, cores } = written(random, drawn, form);
  const [first = '', second] = pieces;
  const texts = { request: 'Write a client for our service.', reply: 'Yes, as you said.', tool: 'ok', code: 'run()' };
  const beside = { note: '', review: '', title: '' };
  if (second !== undefined) {
    // Told in two messages; between the request and the reply the agent speaks.
    const label = random() < 0.5 ? '' : 'The other half is ';
    texts.request = `Write a client for it. This is what it takes: ${first}`;
    texts.reply = `${label}${second}\nand then go on`;
  } else {
    switch (place) {
      case 'request':
        texts.request = `Write a client for our service.\nIt takes ${first}\nand prints the total.`;
        break;
      case 'reply':
        texts.reply = `Yes: ${first} and nothing else.`;
        break;
      case 'code':
        texts.code = `import service\n\n# ${first}\nservice.connect("""${first}""")`;
        break;
      case 'tool result':
        texts.tool = `$ env\nLANG=C.UTF-8\n${first}\nPWD=/srv`;
        break;
      case 'settings':
        texts.tool = `{\n  "editor.tabSize": 2,\n  "service.value": ${form === 'plain' ? JSON.stringify(first) : `"${first}"`}\n}`;
        break;
      case 'file name':
        texts.reply = `It is in the file ${first.includes('\n') ? first : `backups/${first}`} now.`;
        break;
      case 'thumb note':
        beside.note = `It guessed ${first} by itself.`;
        break;
      case 'review note':
        beside.review = `Needless: ${first} was said before.`;
        break;
      case 'title':
        // A title is one line; what is longer is a remark.
        if (titleSchema.safeParse(`About ${first}`).success) beside.title = `About ${first}`;
        else beside.note = first;
        break;
      default:
        place satisfies never;
    }
  }
  const told = Object.values({ ...texts, ...beside }).filter((text) =>
    pieces.some((piece) => text.includes(piece.slice(0, 12))),
  );
  return { kind: kind.name, place, form, ...texts, ...beside, said: told, cores };
}

function written(
  random: Random,
  { text, core }: Drawn,
  form: Form,
): { readonly pieces: readonly string[]; readonly cores: readonly string[] } {
  switch (form) {
    case 'plain':
      return { pieces: [text], cores: [core] };
    case 'base64': {
      const encoded = Buffer.from(text).toString(pick(random, ['base64', 'base64url']));
      return { pieces: [encoded], cores: [core, encoded] };
    }
    case 'URL-encoded': {
      const encoded = Array.from(text)
        .map((letter) => (/\w/.test(letter) && random() < 0.7 ? letter : percent(letter)))
        .join('');
      return { pieces: [encoded], cores: [core] };
    }
    case 'JSON-escaped': {
      const escaped = JSON.stringify(JSON.stringify({ value: text })).slice(1, -1);
      const unicode = Array.from(escaped, (letter) =>
        /[a-z]/.test(letter) && random() < 0.1 ? `\\u${hex(letter, 4)}` : letter,
      );
      // A letter behind a backslash is an escape already.
      return { pieces: [random() < 0.5 ? escaped : escapedLetters(escaped, unicode)], cores: [core] };
    }
    case 'split': {
      const at = Math.floor(text.length * (0.35 + 0.3 * random()));
      const halves = [text.slice(0, at), text.slice(at)];
      return {
        pieces: halves,
        cores: [core, ...halves.map((half) => shared(half, core)).filter((half) => half.length >= 6)],
      };
    }
    default:
      return form satisfies never;
  }
}

function escapedLetters(escaped: string, letters: readonly string[]): string {
  return letters.map((letter, at) => (escaped[at - 1] === '\\' ? (escaped[at] ?? '') : letter)).join('');
}

/** The end of one that is in the other, or its beginning: of a half that also holds words, what is secret. */
function shared(half: string, core: string): string {
  for (let length = half.length; length > 0; length -= 1) {
    if (core.startsWith(half.slice(-length))) return half.slice(-length);
    if (core.endsWith(half.slice(0, length))) return half.slice(0, length);
  }
  return '';
}

function percent(letter: string): string {
  return [...Buffer.from(letter)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function hex(letter: string, digits: number): string {
  return letter.charCodeAt(0).toString(16).padStart(digits, '0');
}

/** Whether a reader of this text learns a part of the secret: ten letters of it in a row, or all of a shorter one. */
export function tells(text: string, { cores }: Planted): boolean {
  return cores.some((core) => {
    if (core.length <= 10) return text.includes(core);
    for (let at = 0; at + 10 <= core.length; at += 5) if (text.includes(core.slice(at, at + 10))) return true;
    return false;
  });
}

/** The conversation as a journal would hold it. */
export function plantedEvents({ request, reply, tool, code, note, review, title }: Planted): EventBody[] {
  const observed = { options_shown: [], option: null, latency_ms: 1 };
  return [
    {
      type: 'episode_started',
      source: 'simulated',
      task_id: null,
      parent: null,
      agent_prompt: null,
      answer_marker: 'I WANT TO ANSWER:',
      max_turns: 10,
    },
    { type: 'request_accepted', text: request },
    { type: 'action_started', turn: 0, pid: 1 },
    { type: 'action_asked', turn: 0, question: 'Is that all?', options: [], generation: generation('Is that all?') },
    { type: 'observed', turn: 0, kind: 'typed', text: reply, ...observed },
    { type: 'action_started', turn: 1, pid: 1 },
    { type: 'action_called', turn: 1, generation: generation('look') },
    { type: 'observed', turn: 1, kind: 'tool', text: tool, ...observed },
    { type: 'action_started', turn: 2, pid: 1 },
    { type: 'action_answered', turn: 2, message: '', code, generation: generation(`I WANT TO ANSWER: ${code}`) },
    ...(note === '' ? [] : [{ type: 'rated' as const, turn: 2, thumb: 1 as const, note }]),
    ...(review === ''
      ? []
      : [{ type: 'override_set' as const, turn: 1, change: { field: 'note' as const, value: review } }]),
    ...(title === '' ? [] : [{ type: 'titled' as const, title }]),
  ];
}

function generation(text: string): GenerationRecord {
  const ids = Array.from(text, (letter) => letter.codePointAt(0) ?? 0);
  return {
    text,
    finish: 'stop',
    prompt_ids: [1, 2, 3],
    ids,
    logprobs: ids.map(() => -1),
    logprobs_mode: 'raw',
    sampling: { temperature: 1, top_p: 1, top_k: null, seed: 1, max_tokens: 64 },
    model: 'toy',
    model_revision: null,
    server: 'engine',
    server_version: '0',
    template_sha: 't',
    tokenizer_sha: 'k',
    latency_ms: 5,
    first_token_ms: null,
  };
}

/** Values of one machine, of which none has a form. */
export const PLACE_OF_WORK = { user: 'mkowalska', host: 'quartz-falcon-17', home: '/home/mkowalska' };

/** Kinds for the known values: what they are called, and the words around them. */
export function knownKinds(known: readonly KnownValue[]): Kind[] {
  const named = (name: string): string[] => known.filter((value) => value.name === name).map(({ value }) => value);
  const kind = (name: string, wording: (value: string) => string): Kind => ({
    name,
    bare: false,
    draw: (random) => {
      const core = pick(random, named(name));
      return { text: wording(core), core };
    },
  });
  return [
    kind('env', (value) => value),
    kind('user', (value) => `the user is ${value}`),
    kind('host', (value) => `${value} answers`),
    kind('home', (value) => `${value}/work/prices.py`),
    kind('git-email', (value) => `Signed-off-by: ${value}`),
  ];
}
