import type { Engine } from './engine.ts';
import { parseBody, type Exchange } from './http.ts';
import { detokenizeRequestSchema, tokenizeRequestSchema } from './requests.ts';

/**
 * `POST /tokenize`: `{text}` gives `{tokens}`, a list of texts a list of lists; `{messages}` renders them first and gives the
 * `prompt` as well. Special tokens are recognised, and nothing is added in front.
 */
export function answerTokenize(engine: Engine, { body }: Exchange): object {
  const request = parseBody(tokenizeRequestSchema, body);
  if ('text' in request) {
    const { text } = request as { text: string | string[] };
    return { tokens: Array.isArray(text) ? text.map((one) => engine.tokenize(one)) : engine.tokenize(text) };
  }
  const prompt = engine.render(request.messages, request.add_generation_prompt);
  return { tokens: engine.tokenize(prompt), prompt };
}

/** `POST /detokenize`: `{tokens}` gives `{text}`, special tokens written out. */
export function answerDetokenize(engine: Engine, { body }: Exchange): object {
  const { tokens } = parseBody(detokenizeRequestSchema, body);
  engine.checkIds(tokens);
  return { text: engine.detokenize(tokens) };
}
