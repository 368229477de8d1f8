import type { Backend } from '../../core/backend.ts';
import type { Check } from './check.ts';
import type { ProbeGains } from './probe-gains.ts';

/** Texts on which tokenizers differ. */
const SAMPLES = [
  'How should missing values be treated?',
  'def f(xs):\n    return [x for x in xs if x]\n',
  'naïve café, 3.5 €',
  '日本語のテキスト',
  'thumbs up 👍🏽, family 👩‍👩‍👧',
  'two  spaces\tand a tab',
];

/**
 * Whether this side's template and tokenizer are the server's: a rendered prompt has the very ids that the server's chat used,
 * tokens spell the text they came from, and no token crosses a reply's edge.
 */
export async function checkTemplate(backend: Backend, gains: ProbeGains, signal?: AbortSignal): Promise<Check> {
  const ids = await backend.tokenize(SAMPLES, signal);
  const spelt = await Promise.all(ids.map((list) => backend.detokenize(list, signal)));
  const same = spelt.filter((text, at) => text === SAMPLES[at]).length;
  const compared = gains.records.filter(({ record }) => record.prompt_ids !== null);
  const equal = compared.filter(({ record, renderedIds }) => sameIds(record.prompt_ids ?? [], renderedIds)).length;
  const values = [
    {
      name: 'chat prompts with the same ids',
      value: compared.length === 0 ? null : equal,
      unit: `of ${compared.length}`,
    },
    { name: 'texts spelt alike by their tokens', value: same, unit: `of ${SAMPLES.length}` },
    { name: 'replies cut at token edges', value: gains.cut, unit: `of ${gains.replies}` },
  ];
  const say = (state: Check['state'], sentence: string): Check => ({ id: 'template', state, values, sentence });
  if (equal < compared.length) {
    return say(
      'fail',
      "The server's chat renders conversations into other token ids than this side does; give the scorer the tokenizer and the template of the served model.",
    );
  }
  if (gains.cut < gains.replies / 2) {
    return say(
      'fail',
      'This template and tokenizer join most replies with the text around them, so that they cannot be masked alone; choose another scorer.',
    );
  }
  if (gains.cut < gains.replies || same < SAMPLES.length) {
    return say(
      'warn',
      gains.cut < gains.replies
        ? 'Some replies share a token with the text around them; those turns have no gain, and say so.'
        : "Tokens do not always spell the text they came from, so that a policy's own ids may go unrecognised; scores are of the scorer's own ids then.",
    );
  }
  if (compared.length === 0) {
    return say(
      'ok',
      'Nothing disagrees, but the chat did not tell the ids of its prompts, so that they could not be compared.',
    );
  }
  return say('ok', 'Prompts have the same token ids here and at the server.');
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, position) => id === b[position]);
}
